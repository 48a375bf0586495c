"""The given split: checked before any work, its leaks counted and named, its parts kept apart."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..audit.split_leaks import PATIENT, SplitLeaks, split_leaks
from ..config.experiment import Evaluation, Experiment
from ..errors import ConfigurationError, ImagesError, visible
from ..evaluation.task import Task
from ..images.index import ImageIndex
from ..images.splits import FOLD, SPLIT, TEST, TRAIN, VALIDATION, check_parts, given_folds, given_parts, part_of
from ..reporting.split_words import leak_warnings
from ..runs.folder import RunFolder
from ..runs.split_answer import Leaks
from ..storage import digest
from .audit_index import Audited
from .choose_methods import fit_rules, make_methods
from .find_images import warn_of_ledger
from .make_task import make_task

if TYPE_CHECKING:
    import pandas as pd

TABLE = "audit/leaks.csv"
_LEAST, _SHOWN = 2, 5
_log = logging.getLogger(__name__)


def is_given(evaluation: Evaluation) -> bool:
    """Whether the experiment keeps a split that came with the images."""
    return evaluation.split == "given"


def least_groups(evaluation: Evaluation, index: ImageIndex) -> int:
    """Independent groups that every class needs in the training part: one a fold, of given folds two in all."""
    return _LEAST if is_given(evaluation) and _training_folds(index) else evaluation.folds


def with_given_folds(experiment: Experiment, index: ImageIndex) -> Experiment:
    """The experiment with as many folds as were given; checks that there is a split, and that it can be used.

    Raises
    ------
    ConfigurationError, ImagesError
    """
    evaluation = experiment.evaluation
    if not is_given(evaluation):
        return experiment
    parts = given_parts(index.images)
    folds = _training_folds(index)
    if not folds and not (parts == TEST).any():
        raise ImagesError(
            "The given split has no test part, and no folds.",
            expected="images of the parts train and test, or folds",
            received=", ".join(f"{part} {int((parts == part).sum()):,} images" for part in np.unique(parts)),
            fix="call the part test in a manifest if it is for the final test, or use split: ignore.",
        )
    if folds and evaluation.repeats > 1:
        raise ConfigurationError(
            "Given folds are the same each time.",
            expected="repeats: 1",
            received=f"repeats: {evaluation.repeats}",
            fix="set it to 1, or draw folds with split: ignore.",
        )
    known, used = bool((index.images["patient"] != "").all()), parts_of(experiment, index)
    check_parts(index.images["label"].tolist(), used, index.group, known)
    index.split(used != TRAIN)[0].check(least_groups(evaluation, index))
    if not folds:
        return experiment
    changed = evaluation.model_copy(update={"folds": len(set(folds))})
    return experiment.model_copy(update={"evaluation": changed})


def keeps_validation(experiment: Experiment) -> bool:
    """Whether something is tuned or stops early, so that images for validation are not trained on."""
    methods = [*make_methods(experiment)[0], *make_methods(experiment)[1]]
    stops = any("validation_rows" in inspect.signature(one.estimator.fit).parameters for one in methods)
    return fit_rules(experiment).tuning != "none" or bool(experiment.cnns) or stops


def parts_of(experiment: Experiment, index: ImageIndex) -> NDArray[np.str_]:
    """Part of each image; what is for validation is trained on in drawn folds where nothing is tuned or stops early."""
    parts = given_parts(index.images)
    if not (parts == VALIDATION).any() or _training_folds(index) or keeps_validation(experiment):
        return parts
    return np.where(parts == VALIDATION, TRAIN, parts)


def split_digest(evaluation: Evaluation, index: ImageIndex) -> str:
    """Digest of the images and, where it is kept, of their split."""
    if not is_given(evaluation):
        return index.digest()
    columns = [index.images[name].tolist() for name in (SPLIT, FOLD) if name in index.images]
    return digest([index.digest(), columns])


def ignored_line(evaluation: Evaluation, index: ImageIndex) -> str:
    """A line of the protocol where the images have a split, or folds, that the experiment ignores; '' where not."""
    if is_given(evaluation):
        return ""
    counts = index.images[SPLIT].value_counts().sort_index().to_dict() if SPLIT in index.images else {}
    if {part_of(str(name)) for name in counts} >= {TRAIN, TEST}:
        words = ", ".join(f"{visible(str(name))} {count:,}" for name, count in counts.items())
        return (
            f"GIVEN SPLIT IGNORED ({words} images): folds are drawn over all images (evaluation.split: given keeps it)"
        )
    folds = index.images[FOLD].unique() if FOLD in index.images else ()
    if len(folds) > 1 and "" not in folds:
        return f"given folds ignored ({len(folds)}): folds are drawn anew (evaluation.split: given keeps them)"
    return ""


def leave_out_leaks(experiment: Experiment, audited: Audited, folder: RunFolder) -> Audited:
    """Name what is in several parts of a given split, in ``audit/leaks.csv``; leave it out of training if so wanted."""
    evaluation, index = experiment.evaluation, audited.index
    if not is_given(evaluation):
        return audited
    parts, folds = parts_of(experiment, index), _training_folds(index)
    tested = split_leaks(index.images, np.where(parts == TEST, TEST, "training"), audited.pairs)
    validated = split_leaks(index.images, np.where(parts == TEST, "", parts), audited.pairs)
    named = np.where(parts == TRAIN, index.images[FOLD], "") if folds else np.full(len(index), "")
    crossed = split_leaks(index.images, named.astype(str), audited.pairs)
    _write([split_leaks(index.images, parts, audited.pairs), crossed], folder)
    dropped = (tested.rows & (parts != TEST)) | (validated.rows & (parts == TRAIN))
    leaks = Leaks(
        patients=int((tested.table["kind"] == PATIENT).sum()),
        copies=int((tested.table["kind"] != PATIENT).sum()),
        test_images=int((tested.rows & (parts == TEST)).sum()),
        other_images=int((tested.rows & (parts != TEST)).sum()),
        validation_images=int((validated.rows & (parts == TRAIN)).sum()),
        fold_images=int(crossed.rows.sum()),
        dropped=int(dropped.sum()) if evaluation.drop_leaks else 0,
        drop=evaluation.drop_leaks,
        names=_names(tested.table),
    )
    for sentence in leak_warnings(leaks):
        _log.warning("%s", sentence)
    audited = replace(audited, leaks=leaks)
    if not leaks.dropped:
        return replace(audited, parts=parts)
    reason = "leak: its patient or a copy is in the part that is tested on"
    index = index.without(dict.fromkeys(index.images["path"][dropped], reason))
    folder.write_table("ledger.parquet", index.whole_ledger())
    warn_of_ledger(index)
    return replace(audited, index=index, measurements=audited.measurements[~dropped], parts=parts[~dropped])


def split_task(evaluation: Evaluation, index: ImageIndex, validation: ImageIndex | None = None) -> Task:
    """The task of the images that are cross-validated, with given folds and images for validation where there are some.

    Parameters
    ----------
    evaluation : Evaluation
    index : ImageIndex
    validation : ImageIndex, optional
        Images that are only tuned on.
    """
    task = make_task(index)
    if not is_given(evaluation):
        return task
    task = replace(task, given=given_folds(index.images), drop_leaks=evaluation.drop_leaks)
    return task if validation is None else task.with_validation(validation.table())


def _training_folds(index: ImageIndex) -> tuple[str, ...]:
    images = index.images
    return given_folds(images[given_parts(images) == TRAIN]) if FOLD in images else ()


def _write(leaks: Sequence[SplitLeaks], folder: RunFolder) -> None:
    import pandas as pd

    (folder.path / TABLE).unlink(missing_ok=True)
    if any(len(one.table) for one in leaks):
        folder.write_table(TABLE, pd.concat([one.table for one in leaks], ignore_index=True))


def _names(table: pd.DataFrame) -> tuple[str, ...]:
    """Patients first, then files of copies."""
    patients = table["patient"][table["kind"] == PATIENT].tolist()
    copies = table.loc[table["kind"] != PATIENT, ["path_a", "path_b"]].to_numpy().tolist()
    named = [f"patient {name}" for name in patients] + [" and ".join(_apart(*pair)) for pair in copies[:_SHOWN]]
    return tuple(map(visible, named[:_SHOWN]))


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two paths without what they have in common."""
    common = os.path.commonpath([one, other])
    return os.path.relpath(one, common), os.path.relpath(other, common)
