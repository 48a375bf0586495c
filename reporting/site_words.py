"""Sites in words: whether the best combination holds where no image was trained on, and whether features know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..evaluation.combination_names import Names, title
from ..evaluation.metrics import BALANCED_ACCURACY, metric_of
from ..runs.site_answer import ExtractorAtSites, Sites
from .verdicts import drop_words

LOWER, HIGHER, NO_GAP, UNKNOWN = "lower", "higher", "no gap shown", "unknown"


@dataclass(frozen=True)
class SiteVerdict:
    """Whether scores are lower across sites.

    Attributes
    ----------
    name : str
        In ``answer.json``.
    state : {"good", "note", "bad", "warn"}
        Its colour.
    words : str
        Sentence of the answer; see `site_words`.
    """

    name: str
    state: Literal["good", "note", "bad", "warn"]
    words: str


_SCORES = "{metric} {across} trained without each of the {count} sites in turn, {within} in ordinary folds"
_TABLE = (
    SiteVerdict(LOWER, "bad", f"LOWER ACROSS SITES: {_SCORES}; gap {{gap}}{{worst}}."),
    SiteVerdict(HIGHER, "note", f"Not lower across sites, but higher: {_SCORES}; gap {{gap}}."),
    SiteVerdict(NO_GAP, "good", f"No gap across sites is shown: {_SCORES}; gap {{gap}}{{beyond}}."),
    SiteVerdict(UNKNOWN, "warn", "ACROSS SITES UNKNOWN: the best combination failed without a site (notes.csv)."),
)
SITE_VERDICTS = {verdict.name: verdict for verdict in _TABLE}


def verdict_of_sites(low: float | None, high: float | None) -> str:
    """Name of the verdict on a gap with this interval."""
    if low is None or high is None:
        return UNKNOWN
    return LOWER if low > 0 else HIGHER if high < 0 else NO_GAP


def site_words(sites: Sites, best: Names, objects: str) -> str:
    """The sentences of the answer.

    Parameters
    ----------
    sites : Sites
        Without words.
    best : (str, str, str)
        The best combination within sites.
    objects : str
        Of whom the intervals hold: patients, or images where none are known.
    """
    metric = metric_of(sites.metric)
    points = " points" if metric.unit == "percent" else ""
    named = {
        "metric": metric.title,
        "across": metric.with_interval(sites.across, sites.across_low, sites.across_high),
        "within": metric.with_unit(sites.within),
        "count": len(sites.sites),
        "gap": drop_words(metric, sites.gap, sites.gap_low, sites.gap_high) + f" for new {objects} of these sites",
        "beyond": f": a gap above {metric.digits(sites.gap_high)}{points} is excluded",
        "worst": _worst(sites),
    }
    sentences = [SITE_VERDICTS[sites.verdict].words.format(**named)]
    own = next((one for one in sites.extractors if one.extractor == best[0]), None)
    if own and own.site_accuracy is not None:
        sentences.append(told_words(own, len(sites.sites)))
    if sites.best and sites.best.names != best:
        sentences.append(_best_words(sites))
    return " ".join(sentences)


def told_words(own: ExtractorAtSites, sites: int) -> str:
    """Whether the features of an extractor tell the site."""
    reached = BALANCED_ACCURACY.with_interval(own.site_accuracy, own.site_accuracy_low, own.site_accuracy_high)
    guessing = BALANCED_ACCURACY.with_unit(1 / sites)
    verb = "tell" if own.site_accuracy_low is not None and own.site_accuracy_low > 1 / sites else "do not tell"
    scores = f"{reached} {BALANCED_ACCURACY.title}, where guessing reaches {guessing}"
    return f"The features of {own.extractor} {verb} the site: {scores}."


def site_lines(sites: Sites) -> list[str]:
    """Lines of the model card: what each site was like, and what could not be said."""
    reached = BALANCED_ACCURACY.with_unit
    lines = [
        f"{one.site}: {reached(one.across)} trained without it, {reached(one.within)} in ordinary folds "
        f"({one.images:,} images{_of_classes(one.lacking)})"
        for one in sites.sites
    ]
    return [*lines, *sites.notes]


def _of_classes(lacking: tuple[str, ...]) -> str:
    return f"; no {', no '.join(lacking)}" if lacking else ""


def _worst(sites: Sites) -> str:
    scored = [one for one in sites.sites if one.across is not None]
    if not scored:
        return ""
    lowest = min(scored, key=lambda one: one.across or 0.0)
    return f"; lowest at {lowest.site}"


def _best_words(sites: Sites) -> str:
    metric, best = metric_of(sites.metric), sites.best
    assert best is not None
    value = metric.with_interval(best.value, best.low, best.high)
    corrected = metric.with_interval(best.corrected, best.corrected_low, best.corrected_high)
    return (
        f"Highest across sites: {title(best.names)}, {value}; corrected for selecting the best of "
        f"{best.picked_among}: {corrected}."
    )
