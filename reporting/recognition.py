"""Rates in words that need no statistics: of 100 images of a class, about how many are recognised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recognition:
    """How many images of a class are recognised as it.

    Attributes
    ----------
    label : str
        Of the class.
    hits, images : int
        Recognised and all, of the class; summed over repeats.
    low, high : float
        95 % interval of their ratio; NaN where it would not hold.
    taken_for : str
        Class that most of the others are taken for; '' where all are recognised.
    """

    label: str
    hits: int
    images: int
    low: float
    high: float
    taken_for: str = ""

    @property
    def rate(self) -> float:
        """Sensitivity; NaN without images."""
        return self.hits / self.images if self.images else math.nan

    def rounds_to_all(self, out_of: int) -> bool:
        """Whether some are missed, and rounding to so many hides it."""
        return self.hits < self.images and round(self.rate * out_of) == out_of

    def words(self, out_of: int, others: str = "mostly as") -> str:
        """Such as ``of 100 images about 97 are recognised (95 to 99); the others mostly as Early``."""
        if not self.images:
            return "no image was predicted"
        if self.hits == self.images:
            return f"all were recognised; of {out_of:,} new images {_range(self.low, self.high, out_of)}"
        most = f"; the others {others} {self.taken_for}" if self.taken_for else ""
        about = _number(self.rate, out_of)
        return f"of {out_of:,} images about {about} are recognised ({_range(self.low, self.high, out_of)}){most}"


def of_patients(patients: int, accuracy: float, low: float, high: float) -> str:
    """A sentence on patients, each of whom gets one prediction; '' where it is not defined."""
    if math.isnan(accuracy):
        return ""
    when = "when the probabilities of all their images are averaged"
    limits = _range(low, high, 100)
    if accuracy == 1:
        return f"All {patients:,} patients get the right class {when}; of 100 new patients {limits}."
    about = _number(accuracy, 100)
    return f"Of 100 patients about {about} get the right class ({limits}) {when}; {patients:,} patients."


def most_frequent_error(confusion: pd.DataFrame, label: str) -> str:
    """The class that images of `label` are most often taken for; '' where there is none.

    Parameters
    ----------
    confusion : DataFrame
        Columns label, predicted and count, of one combination.
    label : str
    """
    if not len(confusion):
        return ""
    wrong = confusion[(confusion["label"] == label) & (confusion["predicted"] != label) & (confusion["count"] > 0)]
    return str(wrong.nlargest(1, "count")["predicted"].iloc[0]) if len(wrong) else ""


def _number(rate: float, out_of: int) -> str:
    return f"{round(rate * out_of):,}"


def _range(low: float, high: float, out_of: int) -> str:
    if math.isnan(low) or math.isnan(high):
        return "interval not stated: too few groups"
    return f"{_number(low, out_of)} to {_number(high, out_of)}"
