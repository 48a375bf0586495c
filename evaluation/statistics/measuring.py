"""Measuring: from the probabilities of one combination to its numbers, at the level of images and of patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..metric import Floats
from .entry import Design, Entry, Key
from .patient_level import PatientLevel
from .patients import Patients, predict_patients

Probabilities = tuple[Key, str, Floats]
"""Names of a combination, its kind, and its out-of-fold probabilities, float64, shape (repeats, n, K)."""


@dataclass(frozen=True)
class Measuring:
    """What is needed to measure any combination of a run; other processes get it, too.

    Attributes
    ----------
    design : Design
        Of images.
    patients : Patients, optional
    level : PatientLevel, optional
    """

    design: Design
    patients: Patients | None
    level: PatientLevel | None

    def entry(self, key: Key, kind: str, probabilities: Floats) -> Entry:
        """Numbers of one combination; see `leukobench.evaluation.statistics.analysis.Analysis.add`."""
        expected = (*self.design.folds.shape, len(self.design.classes))
        if probabilities.shape != expected:
            raise ValueError(f"probabilities of {key} have shape {probabilities.shape} instead of {expected}")
        predicted = predict_patients(self.patients, probabilities) if self.patients else None
        entry = Entry.of(self.design, key, kind, probabilities, predicted)
        return self.level.add_to(entry, probabilities) if self.level else entry

    def entries(self, several: Iterable[Probabilities]) -> list[Entry]:
        """Those of several combinations."""
        return [self.entry(*one) for one in several]
