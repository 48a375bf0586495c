"""Seal the holdout: whole groups are set aside before anything is fitted, and opened once by `leukobench unseal`."""

from __future__ import annotations

import logging
from fractions import Fraction
from itertools import islice

import numpy as np

from ..config.experiment import Evaluation, Experiment
from ..errors import ImagesError
from ..evaluation.folds import splits
from ..evaluation.metrics import metric_of
from ..images.index import ImageIndex
from ..images.splits import TEST, given_parts
from ..runs.folder import RunFolder
from .audit_index import Audited
from .given_split import is_given, least_groups
from .leave_out_conflicts import refuse_conflicts
from .write_images import write_images

_log = logging.getLogger(__name__)
_SEALED_PARTS = 10
_FAR = 0.1
"""A share of the images that differs from what was asked by more than this part of it is warned of."""


def seal_holdout(experiment: Experiment, audited: Audited, folder: RunFolder) -> Audited:
    """Put the sealed images aside, drawn or given; writes the tables of all parts and of copies.

    Raises
    ------
    ImagesError
        Too few images or groups are left for the folds, every image of a class has a copy under another label, or the
        holdout lacks a class.
    """
    evaluation = experiment.evaluation
    refuse_conflicts(experiment, audited.index, audited.pairs)
    audited.index.check(least_groups(evaluation, audited.index))
    sealed = given_or_drawn(evaluation, audited.index)
    for sentence in check_seal(evaluation, audited.index, sealed):
        _log.warning("%s", sentence)
    audited, held = audited.split(sealed)
    audited = audited.without_validation()
    write_images(audited, folder)
    for name, part in (("sealed.parquet", held), ("validation.parquet", audited.validation)):
        (folder.path / name).unlink(missing_ok=True)
        if part is not None and len(part):
            folder.write_table(name, part.table())
    audited.index.check(least_groups(evaluation, audited.index))
    return audited


def given_or_drawn(evaluation: Evaluation, index: ImageIndex) -> np.ndarray:
    """Rows that are sealed, bool: a given test part, or groups that are drawn."""
    if is_given(evaluation):
        return np.asarray(given_parts(index.images) == TEST)
    return sealed_rows(index, evaluation.holdout, evaluation.seed)


def check_seal(evaluation: Evaluation, index: ImageIndex, sealed: np.ndarray) -> list[str]:
    """Refuse a holdout that lacks a class; return a sentence where it holds another share of the images than asked.

    Where patients rank, they are what has to be on both sides.

    Raises
    ------
    ImagesError
    """
    if not sealed.any():
        return []
    given = is_given(evaluation)
    images = index.images.assign(sealed=sealed, unit=index.images["path"])
    if metric_of(evaluation.rank_by).of_patients:
        of_one_label = images.groupby("patient")["label"].transform("nunique") == 1
        images = images[of_one_label].assign(unit=images["patient"])
    units = images.drop_duplicates("unit")
    sides = {
        "the given test part" if given else "the sealed holdout": set(units.loc[units["sealed"], "label"]),
        "the folds": set(units.loc[~units["sealed"], "label"]),
    }
    for side, labels in sides.items():
        if lacking := [label for label in index.classes() if label not in labels]:
            counts = index.counts()["groups"]
            raise ImagesError(
                f"There would be no {'image' if len(units) == len(index) else 'patient'} of {lacking[0]} in {side}.",
                expected=f"every class in {'it' if given else f'a holdout of {evaluation.holdout:.0%}'}, and outside",
                received=", ".join(f"{label} {counts[label]:,} groups" for label in index.classes()),
                fix=("correct the split" if given else "seal a larger part")
                + ", add patients of this class, or leave the class out (exclude_classes).",
            )
    share = float(sealed.mean())
    if given or abs(share - evaluation.holdout) <= _FAR * evaluation.holdout:
        return []
    return [
        f"The sealed holdout holds {share:.1%} of the images instead of {evaluation.holdout:.1%}: whole groups are "
        "sealed, and they are large or few."
    ]


def sealed_rows(index: ImageIndex, part: float, seed: int) -> np.ndarray:
    """Rows of the sealed holdout, bool: a share `part` of the groups, with every class if possible."""
    rows = np.zeros(len(index), dtype=bool)
    if part:
        labels = np.unique(index.images["label"], return_inverse=True)[1].astype(np.int64)
        share = Fraction(part).limit_denominator(min(_SEALED_PARTS, len(np.unique(index.group))))
        drawn = splits(labels, index.group, max(2, share.denominator), seed)
        for _, held in islice(drawn, max(1, share.numerator)):
            rows[held] = True
    return rows
