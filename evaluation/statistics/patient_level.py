"""Metrics of patients with their intervals: patients take the place of images, each with its mean probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..metric import Floats
from ..metrics import LOG_LOSS, metrics_of
from ..scorer import Scorer
from .entry import Design, Entry
from .patients import Patients
from .present_classes import over_present
from .resampling import GroupResamples

_DECIMALS = 12


@dataclass(frozen=True)
class PatientLevel:
    """Patients as the images of a design of their own.

    Attributes
    ----------
    patients : Patients
    design : Design
        Its labels, folds and groups are those of patients; patients who share a copy share a group.
    ranks : bool
        Whether combinations are ranked by one of its metrics.
    """

    patients: Patients
    design: Design
    ranks: bool

    @classmethod
    def of(cls, patients: Patients, images: Design, seed: int) -> PatientLevel | None:
        """None where a class that there is, or a fold, has no patient whose images all have one label."""
        first = patients.rows[np.unique(patients.codes, return_index=True)[1]]
        folds = images.folds[:, first]
        everywhere = all(len(np.unique(one)) == images.folds_a_repeat for one in folds)
        present = np.bincount(images.labels, minlength=len(images.classes)) > 0
        if not everywhere or len(np.unique(patients.labels)) < present.sum():
            return None
        metrics = over_present(metrics_of(patients=True), present)
        groups = GroupResamples(images.resamples.codes[first], images.resamples.resamples, seed)
        ranks = images.rank_by.of_patients
        rank_by = images.rank_by if ranks else metrics[0]
        return cls(patients, Design(patients.labels, folds, groups, Scorer(images.classes, metrics), rank_by), ranks)

    def add_to(self, entry: Entry, probabilities: Floats) -> Entry:
        """`entry`, made of the images, with the metrics of patients; they rank where the design says so.

        Parameters
        ----------
        entry : Entry
        probabilities : ndarray of float64, shape (repeats, n, K)
            Out-of-fold, of images. A patient has the mean of those of its images, in each repeat.
        """
        own = Entry.of(self.design, entry.key, entry.kind, mean_probabilities(self.patients, probabilities))
        metrics, folds = entry.metrics | own.metrics, entry.folds | own.folds
        # the log loss orders equals, and is one of images: it is not resampled with the patients
        log_losses = np.full_like(own.ranking.log_losses, entry.metrics[LOG_LOSS.name][0])
        ranking = replace(own.ranking, log_losses=log_losses) if self.ranks else entry.ranking
        return replace(entry, metrics=metrics, folds=folds, ranking=ranking)


def mean_probabilities(patients: Patients, probabilities: Floats) -> Floats:
    """Mean over the images of each of P patients, shape (repeats, P, K), from those of images, (repeats, n, K).

    Rounded, since sums of different numbers of images end in different bits: equal patients would have an order.
    """
    sums = np.zeros((len(probabilities), len(patients.names), probabilities.shape[2]))
    np.add.at(sums.swapaxes(0, 1), patients.codes, probabilities[:, patients.rows].swapaxes(0, 1))
    return np.round(sums / patients.images[:, None], _DECIMALS)
