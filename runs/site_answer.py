"""The part of ``answer.json`` on sites: whether a score holds where no image was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .stored import Stored


@dataclass(frozen=True)
class BestAcross(Stored):
    """The combination with the highest score across sites; corrected for selecting it. An undefined number is None."""

    extractor: str
    selector: str
    classifier: str
    value: float
    low: float | None
    high: float | None
    corrected: float | None
    corrected_low: float | None
    corrected_high: float | None
    picked_among: int

    @property
    def names(self) -> tuple[str, str, str]:
        """Extractor, selector, classifier."""
        return self.extractor, self.selector, self.classifier


@dataclass(frozen=True)
class AtSite(Stored):
    """The best combination at one site. A number that is not defined is None.

    Attributes
    ----------
    site : str
    images, groups : int
        That are scored.
    lacking : tuple of str
        Classes of which it has no image that can be scored.
    trained, apart : int
        Images that were trained on without the site; images of other sites that were left out of this, since they share
        a patient, or are copies.
    within, across : float
        Mean sensitivity over the classes that it has: in ordinary folds, and trained without the site.
    gap, low, high : float
        The first less the second, with its 95 % interval.
    """

    site: str
    images: int
    groups: int
    lacking: tuple[str, ...]
    trained: int
    apart: int
    within: float | None
    across: float | None
    gap: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ExtractorAtSites(Stored):
    """One extractor: its best combination, and whether its features know the site. An undefined number is None.

    Attributes
    ----------
    extractor, selector, classifier : str
    within, across, gap, gap_low, gap_high : float
    site_accuracy, site_accuracy_low, site_accuracy_high : float
        Balanced accuracy for the site, from its features with the selector and classifier of the best combination.
    robustness, robustness_low, robustness_high : float
        Robustness index, from 0 (neighbours are of one site) to 1 (of one class).
    neighbours, pairs : int
        How many neighbours, and over how many pairs of two classes at two sites.
    """

    extractor: str
    selector: str
    classifier: str
    within: float | None
    across: float | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    site_accuracy: float | None = None
    site_accuracy_low: float | None = None
    site_accuracy_high: float | None = None
    robustness: float | None = None
    robustness_low: float | None = None
    robustness_high: float | None = None
    neighbours: int = 0
    pairs: int = 0


@dataclass(frozen=True)
class Sites(Stored):
    """Whether the best combination holds across sites. A number that is not defined is None.

    Attributes
    ----------
    column : str
        That holds the sites.
    metric : str
    images : int
        That are compared.
    within, across, across_low, across_high : float
        In ordinary folds; and trained without each site in turn, with a 95 % interval.
    gap, gap_low, gap_high : float
        The first less the second, paired, with a 95 % interval for these sites.
    verdict : str
        A name of `leukobench.reporting.site_words.SITE_VERDICTS`; "unknown" where it failed.
    best : BestAcross, optional
    sites : tuple of AtSite
    extractors : tuple of ExtractorAtSites
    notes : tuple of str
        What could not be said, and why.
    words : str
        Sentence of the answer.
    """

    column: str
    metric: str
    images: int
    within: float | None
    across: float | None
    across_low: float | None
    across_high: float | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    verdict: str = "unknown"
    best: BestAcross | None = None
    sites: tuple[AtSite, ...] = ()
    extractors: tuple[ExtractorAtSites, ...] = ()
    notes: tuple[str, ...] = ()
    words: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """See `Stored.from_json`."""
        best = stored.get("best")
        typed = {
            "best": BestAcross.from_json(best) if best else None,
            "sites": tuple(map(AtSite.from_json, stored.get("sites", ()))),
            "extractors": tuple(map(ExtractorAtSites.from_json, stored.get("extractors", ()))),
        }
        return super().from_json({**stored, **typed})
