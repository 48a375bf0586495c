"""Leave out conflicts: copies of one image under several labels, of which at most one can be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..audit.clusters import labels_in_conflict
from ..config.experiment import Experiment
from ..errors import ImagesError
from ..images.index import ImageIndex
from .find_images import warn_of_ledger

if TYPE_CHECKING:
    import pandas as pd

REASON = "copies of one image under several labels"


def leave_out_conflicts(
    experiment: Experiment, index: ImageIndex, pairs: pd.DataFrame
) -> tuple[ImageIndex, NDArray[np.bool_]]:
    """The index without images whose copies have several labels, and which of its rows were kept.

    Where no image of a class would be left, all are kept: an audit shows them, and `refuse_conflicts` stops a run.
    """
    labels = np.array(labels_in_conflict(pairs, index.images), dtype=object)
    kept: NDArray[np.bool_] = labels == ""
    keeps = experiment.images.label_conflicts == "keep" or index.images["label"][kept].nunique() < len(index.classes())
    if keeps or kept.all():
        return index, np.ones(len(index), dtype=bool)
    reasons = dict(zip(index.images["path"][~kept], labels[~kept], strict=True))
    index = index.without({path: f"{REASON}: {names}" for path, names in reasons.items()})
    warn_of_ledger(index)
    return index, kept


def refuse_conflicts(experiment: Experiment, index: ImageIndex, pairs: pd.DataFrame) -> None:
    """Refuse images under several labels that could not be left out, because a class would be lost.

    Raises
    ------
    ImagesError
    """
    labels = np.array(labels_in_conflict(pairs, index.images), dtype=object)
    if experiment.images.label_conflicts == "keep" or not labels.any():
        return
    lost = sorted(set(index.classes()) - set(index.images["label"][labels == ""]))
    raise ImagesError(
        f"Every image of {', '.join(lost)} has a copy under another label.",
        expected="in every class, images that no copy contradicts",
        received=f"{np.count_nonzero(labels):,} files of images under several labels, which `leukobench audit` lists",
        fix="correct the labels, or keep such images with --label-conflicts keep (images.label_conflicts: keep).",
    )
