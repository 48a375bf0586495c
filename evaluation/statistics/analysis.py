"""The statistics of a run: combinations go in one at a time, tables come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigurationError
from ..combination_names import as_columns
from ..metric import Floats, Integers
from ..metrics import BALANCED_ACCURACY, LOG_LOSS, metrics_of, ranking_metrics
from ..scorer import Scorer
from . import tables, winner
from .best_set import Differences, best_set, less_one, one_error
from .entry import Design, Entry, Key
from .intervals import Interval
from .measuring import Measuring
from .patient_level import PatientLevel
from .patients import Patients
from .present_classes import over_present
from .resampling import GroupResamples
from .winner import Corrected


@dataclass
class Analysis:
    """Statistics of combinations on the same images and folds.

    Only numbers are kept of each combination, never its probabilities. With one seed, the numbers do not depend on the
    order of the images or of the combinations; that of the latter decides between those that are equal in everything.
    Classes without any image take no part in means over classes; see `over_present`.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str, length K
    groups : ndarray of int64, shape (n,)
        Never on both sides of a split; they are what is resampled, in the order of their numbers.
    folds : ndarray of int, shape (repeats, n)
        Fold that tests each image, from 0.
    rank_by : str
        Name of a metric that ranks.
    seed : int
        Of the resamples.
    resamples : int
    patients : sequence of str, length n, optional
        '' where a patient is not known. Patients with images of several labels are left out.

    Raises
    ------
    ConfigurationError
        No metric of this name ranks.
    """

    labels: Integers
    classes: tuple[str, ...]
    groups: Integers
    folds: NDArray[np.integer]
    rank_by: str
    seed: int = 0
    resamples: int = 1000
    patients: Sequence[str] | None = None
    _entries: dict[Key, Entry] = field(default_factory=dict, init=False, repr=False)
    _features: dict[Key, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        ranking = ranking_metrics()
        if self.rank_by not in ranking:
            raise ConfigurationError(
                "Combinations cannot be ranked by this.", expected=", ".join(ranking), received=self.rank_by
            )
        drawn = GroupResamples(self.groups, self.resamples, self.seed)
        folds = np.atleast_2d(np.asarray(self.folds, dtype=np.int64))
        labels = np.asarray(self.labels, np.int64)
        present = np.bincount(labels, minlength=len(self.classes)) > 0
        scorer = Scorer(self.classes, over_present(metrics_of(patients=False), present))
        self._design = Design(labels, folds, drawn, scorer, *over_present([ranking[self.rank_by]], present))
        self._patients = None
        if self.patients is not None:
            patients = Patients.of(self.patients, labels)
            self._patients = patients if patients.names else None
        self._level = PatientLevel.of(self._patients, self._design, self.seed) if self._patients else None
        if self._design.rank_by.of_patients and not self._level:
            raise ConfigurationError(
                "Combinations cannot be ranked by patients here.",
                expected="patients of every class whose images all have one label",
                received=self.rank_by,
                fix="rank by a metric of images.",
            )

    def add(self, key: Key, kind: str, probabilities: Floats, features: float = np.nan) -> None:
        """Take in one combination.

        Parameters
        ----------
        key : (str, str, str)
            Extractor, selector, classifier.
        kind : {"combination", "shortcut", "content", "control"}
            Any other row is scored like a combination, and is no candidate.
        probabilities : ndarray of float64, shape (repeats, n, K)
            Out-of-fold. The predicted class is the most probable one, the first of equals.
        features : float
            Mean number that reached the classifier; fewer are better where all else is equal.
        """
        self.take(self.measuring.entry(key, kind, probabilities), features)

    def take(self, entry: Entry, features: float = np.nan) -> None:
        """Take in one combination that was measured, here or in another process."""
        self._entries[entry.key], self._features[entry.key] = entry, features

    @property
    def measuring(self) -> Measuring:
        """What measures a combination."""
        return Measuring(self._image_design, self._patients, self._level)

    def patient_metrics(self, key: Key) -> dict[str, Floats]:
        """Metrics of patients of one combination in each fold, shape (repeats, folds); none without patients."""
        folds = self._entries[key].folds
        names = self._level.design.scorer.columns if self._level else []
        return {name: folds[name].reshape(len(self._design.folds), -1) for name in names}

    def order(self) -> list[Key]:
        """Everything that was added, best first; see `leukobench.evaluation.statistics.winner.order`."""
        entries = list(self._entries.values())
        scores = np.array([one.metrics[self.rank_by][0] for one in entries])
        log_losses = np.array([one.metrics[LOG_LOSS.name][0] for one in entries])
        saturated = np.array([one.saturated for one in entries], dtype=bool)
        features = np.array([self._features[one.key] for one in entries])
        return [entries[place].key for place in winner.order(scores, log_losses, saturated, features)]

    def tables(self) -> dict[str, Any]:
        """Tables of everything that was added, by name; combinations in the order of their names.

        Returns
        -------
        dict of str to DataFrame
            ``leaderboard`` (not sorted by rank; without costs and status), ``comparisons``, ``confusion``,
            ``reliability``, ``classes``; and, where patients are known, ``patients`` and ``patient_scores``.
        """
        entries = [self._entries[key] for key in sorted(self._entries)]
        candidates = self._candidates()
        compared = best_set(self._differences(candidates))
        named_tables = {
            "leaderboard": tables.leaderboard(entries, candidates, compared),
            "comparisons": tables.comparisons(self._design, candidates, compared),
            "confusion": tables.confusion(self._design, entries),
            "reliability": tables.reliability(entries),
            "classes": tables.classes(self._design, entries),
        }
        if self._patients and entries:
            both = tables.patients(self._design, self._patients, entries)
            named_tables["patients"], named_tables["patient_scores"] = both
        return named_tables

    def best(self) -> Key | None:
        """Names of the best combination by `rank_by`; None when nothing has the metric."""
        candidates = self._candidates()
        return candidates[0].key if candidates else None

    def winner(self) -> dict[str, Any] | None:
        """The best combination by `rank_by`, and its number corrected for selecting the best of many.

        The corrected number is never above the winner's own, which it is by chance where one combination is far ahead,
        and its interval is never narrower than the winner's own interval, moved.

        Returns
        -------
        dict or None
            extractor, selector, classifier, metric, value, low, high; corrected, corrected_low, corrected_high,
            dropped (see `leukobench.evaluation.statistics.winner.correct_for_selection`); picked_among; tied (how many
            share its value); rank_agreement (Kendall's W of the ranks in the repeats). A number that is not defined is
            NaN. None when nothing has the metric.
        """
        candidates = self._candidates()
        if not candidates:
            return None
        best = candidates[0]
        value, low, high = best.metrics[self.rank_by]
        corrected = self._corrected(candidates)
        if len(candidates) == 1 or corrected.value > value:  # nothing was chosen, or nothing was gained by it
            corrected = corrected._replace(value=value)
        highest = min(corrected.value + (high - value), self._design.rank_by.greatest)
        return {
            **as_columns(best.key),
            "metric": self.rank_by,
            "value": value,
            "low": low,
            "high": high,
            "corrected": corrected.value,
            "corrected_low": float(np.fmin(corrected.low, corrected.value - (value - low))),
            "corrected_high": float(np.fmax(corrected.high, highest)),
            "dropped": corrected.dropped,
            "picked_among": len(candidates),
            "tied": winner.tied(np.array([one.metrics[self.rank_by][0] for one in candidates])),
            "rank_agreement": winner.agreement(np.array([one.ranking.repeats for one in candidates]).T),
        }

    def against(self, other: Key) -> Interval:
        """The best combination's metric minus that of `other`, with an interval that counts that it was picked.

        `other` is no candidate. See `leukobench.evaluation.statistics.best_set.less_one`.

        Raises
        ------
        KeyError
            Nothing of this name was added, or there is no best combination.
        """
        candidates = self._candidates()
        if not candidates:
            raise KeyError("no combination has the ranking metric")
        return less_one(self._differences([*candidates, self._entries[other]]), 0, len(candidates))

    @property
    def _image_design(self) -> Design:
        """What is computed from images needs a metric of images."""
        design = self._design
        named = {metric.name: metric for metric in design.scorer.metrics}
        return replace(design, rank_by=named[BALANCED_ACCURACY.name]) if design.rank_by.of_patients else design

    def _candidates(self) -> list[Entry]:
        """Combinations that have the ranking metric, best first."""
        entries = [self._entries[key] for key in self.order()]
        return [one for one in entries if one.kind == "combination" and not np.isnan(one.metrics[self.rank_by][0])]

    def _differences(self, entries: Sequence[Entry]) -> Differences:
        design = self._level.design if self._level and self._level.ranks else self._design
        return Differences.of(
            np.array([one.metrics[self.rank_by][0] for one in entries]),
            np.array([one.ranking.inside for one in entries]).reshape(len(entries), design.resamples.resamples),
            design.resamples.count,
            len(design.classes),
            one_error(design.rank_by, design.labels, len(design.classes)),
        )

    def _corrected(self, candidates: Sequence[Entry]) -> Corrected:
        given = sorted(candidates, key=lambda one: list(self._entries).index(one.key))
        rankings = [one.ranking for one in given]
        return winner.correct_for_selection(
            np.array([one.inside for one in rankings]),
            np.array([one.outside for one in rankings]),
            np.array([one.log_losses for one in rankings]),
            np.array([one.saturated for one in given]),
            np.array([self._features[one.key] for one in given]),
        )
