"""The best of several runs on the same images and folds; a refusal where they cannot be ranked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from ..errors import ConfigurationError
from ..evaluation.combination_names import title
from ..evaluation.metrics import metric_of
from ..reporting.controls import controls_sentence
from ..runs.finished import FinishedRun
from .pairing import pair
from .run_list import Entry, Score


@dataclass(frozen=True)
class BestRun:
    """The best combination of several runs.

    Attributes
    ----------
    best : Entry
    others : tuple of Entry
        The other runs, best first.
    combinations : int
        Of all runs, among which it was picked.
    verdict : str
        The sentence on shortcuts.
    controls : str
        The sentence on controls; '' where there is nothing to say.
    """

    best: Entry
    others: tuple[Entry, ...]
    combinations: int
    verdict: str
    controls: str = ""

    def sentences(self) -> list[str]:
        """What is the best, what its score rests on, which others may be as good, and how to compare them."""
        score = _score(self.best)
        metric, runs = metric_of(score.metric), 1 + len(self.others)
        value = metric.with_interval(score.value, score.low, score.high)
        lines = [
            f"Best of {self.combinations:,} combinations in {runs} run{'s' if runs > 1 else ''} on the same "
            f"{self.best.facts.images:,} images and folds: {title(score.names)} of {self.best.name}, {metric.title} "
            f"{value}.",
            self.verdict or "No shortcut was scored: what the score rests on is unknown.",
            *filter(None, [self.controls]),
        ]
        if score.corrected is not None and self.combinations > 1:
            lines.append(
                f"Corrected for selecting the best within its run: {metric.with_unit(score.corrected)}; selecting "
                "among several runs makes a score higher still."
            )
        return [*lines, *self._others_in_words()]

    def _others_in_words(self) -> list[str]:
        score = _score(self.best)
        near = [one.name for one in self.others if _score(one).value >= score.low]
        if not self.others:
            return []
        inside = f"Inside its interval lies the best score of: {', '.join(near)}." if near else ""
        pair_of = " ".join(quote(str(one.folder)) for one in (self.others[0], self.best))
        return [*filter(None, [inside]), f"Paired differences: leukobench compare {pair_of}"]


def best_of(entries: Sequence[Entry]) -> BestRun:
    """The best among finished runs, each represented by its score; runs of permuted labels are passed over.

    Raises
    ------
    ConfigurationError
        There is none, or two of them differ in images, labels, groups, folds or the metric.
    """
    runs = [(one, FinishedRun.open(one.folder)) for one in entries if one.score]
    runs = [(one, run) for one, run in runs if run.answer.chance is None]
    if not runs:
        raise ConfigurationError("No finished run of this list has a score.", fix="choose others, or none, to see all.")
    first = runs[0]
    for one, run in runs[1:]:
        if reason := why_not_ranked(first[1], run):
            raise ConfigurationError(
                "These runs cannot be ranked against one another.",
                expected="the same images, labels, groups, folds and metric in all",
                received=f"{first[0].name} and {one.name}: {reason}",
                fix="narrow the list with TEXT, --images or --where; `leukobench compare` compares over data sets.",
            )
    ordered = sorted(runs, key=lambda one: -_score(one[0]).value)
    winner = ordered[0]
    shortcut = winner[1].answer.shortcut
    return BestRun(
        best=winner[0],
        others=tuple(one for one, _ in ordered[1:]),
        combinations=sum(len(run.ranked) for _, run in runs),
        verdict=shortcut.words if shortcut else "",
        controls=controls_sentence(winner[1].answer.controls, metric_of(winner[1].metric)),
    )


def why_not_ranked(first: FinishedRun, second: FinishedRun) -> str:
    """Why the scores of two runs cannot be ranked together; '' where they come from the same images and folds."""
    if first.metric != second.metric:
        return f"one is ranked by {first.metric}, the other by {second.metric}"
    one, other = (sorted(run.images["image_id"]) for run in (first, second))
    if one != other:
        return f"the images differ: {len(one):,} and {len(other):,}, of which {len({*one} & {*other}):,} are in both"
    if len(first.folds) != len(second.folds):
        return "the numbers of repeats differ"
    pairing = pair(first, second)
    return pairing if isinstance(pairing, str) else ""


def _score(entry: Entry) -> Score:
    if entry.score is None:
        raise ValueError(f"{entry.folder} has no score")
    return entry.score
