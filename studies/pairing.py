"""Pairing: the images that two runs predicted in the same folds, and scores on the same resamples of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.metric import Metric
from ..evaluation.statistics.drops import PairedScores
from ..runs.finished import FinishedRun

if TYPE_CHECKING:
    import pandas as pd

KEY = ("image_id", "copy", "repeat")


@dataclass(frozen=True)
class Pairing:
    """Images that both runs predicted in the same folds.

    Attributes
    ----------
    folds : DataFrame
        Image id, number of the copy, repeat, fold, label and group, in one order.
    classes : tuple of str
    """

    folds: pd.DataFrame
    classes: tuple[str, ...]

    def repeats(self, metric: Metric, resamples: int, seed: int) -> dict[int, PairedScores]:
        """Scores of each repeat, on the same resamples."""
        parts = {}
        for repeat in sorted(self.folds["repeat"].unique().tolist()):
            rows = self.folds[self.folds["repeat"] == repeat]
            labels = np.searchsorted(self.classes, rows["label"].to_numpy(dtype=str)).astype(np.int64)
            groups = np.unique(rows["group"].astype(str), return_inverse=True)[1].astype(np.int64)
            folds = rows["fold"].to_numpy(dtype=np.int64)
            parts[repeat] = PairedScores(labels, self.classes, groups, folds, metric, resamples, seed)
        return parts


def pair(first: FinishedRun, second: FinishedRun) -> Pairing | str:
    """What can be paired, or why nothing can."""
    tables = [numbered(run.folds) for run in (first, second)]
    both = tables[0].merge(tables[1], on=list(KEY), suffixes=("", "_second"))
    classes = [tuple(sorted(run.images["label"].unique())) for run in (first, second)]
    if classes[0] != classes[1]:
        return f"the classes differ: {', '.join(classes[0])} and {', '.join(classes[1])}"
    if not len(both):
        return "they have no images in common"
    for column, words in (("label", "labels"), ("group", "groups"), ("fold", "folds")):
        different = both[column].astype(str) != both[f"{column}_second"].astype(str)
        if different.any():
            return f"the {words} of {different.sum():,} of {len(both):,} common images differ"
    return Pairing(both[[*KEY, "fold", "label", "group"]].sort_values(list(KEY), ignore_index=True), classes[0])


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    """A table of images with a number for each of several identical files."""
    ordered = table.sort_values(["repeat", "row"])
    return ordered.assign(copy=ordered.groupby(["repeat", "image_id"]).cumcount())
