"""Two runs on the same images: what was changed between them, and which combinations it made better or worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigurationError
from ..evaluation.combination_names import NAMES, Names, title
from ..evaluation.metric import Metric
from ..evaluation.metrics import metric_of
from ..evaluation.statistics.drops import Drop, PairedScores, Scores
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..storage import mark_output
from .pairing import KEY, Pairing, numbered, pair
from .what_changed import what_changed

if TYPE_CHECKING:
    import pandas as pd

BETTER, WORSE, ALIKE = "better", "worse", "no difference beyond the interval"
TABLE = "same_images.csv"
_SHOWN = 12


@dataclass(frozen=True)
class Change:
    """One combination in both runs.

    Attributes
    ----------
    names : (str, str, str)
    first, second : float
        Its score in each.
    gain : Drop
        The second score less the first, with its paired interval.
    """

    names: Names
    first: float
    second: float
    gain: Drop

    @property
    def verdict(self) -> str:
        """Better or worse where the interval excludes 0."""
        if self.gain.low > 0:
            return BETTER
        return WORSE if self.gain.high < 0 else ALIKE


@dataclass(frozen=True)
class Alone:
    """Combinations that one run alone has scored.

    Attributes
    ----------
    count : int
    names : (str, str, str)
        The best of them.
    value : float
        Its score.
    """

    count: int
    names: Names
    value: float


@dataclass(frozen=True)
class Best:
    """The best combination of each run.

    Attributes
    ----------
    first : (str, str, str)
        That of the first run.
    counts : (int, int)
        Among how many each was selected.
    change : Change
        From that of the first run to that of the second.
    """

    first: Names
    counts: tuple[int, int]
    change: Change


@dataclass(frozen=True)
class SameImages:
    """Two runs on the same images.

    Attributes
    ----------
    changed : list of str
        What differs between them, in words.
    metric : Metric
    changes : list of Change
        The largest gain first; empty where scores cannot be paired.
    refusal : str
        Why they cannot be paired.
    best : Best or None
        None where a run has none, or it cannot be paired.
    alone : mapping
        ``"first"`` and ``"second"`` -> what that run alone has scored, where there is anything.
    """

    changed: list[str]
    metric: Metric
    changes: list[Change]
    refusal: str = ""
    best: Best | None = None
    alone: Mapping[str, Alone] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """In words and numbers."""
        lines = ["Changed: " + ("; ".join(self.changed) or "nothing") + ".", *self.sentences()]
        ends = (
            self.changes
            if len(self.changes) <= _SHOWN
            else [*self.changes[: _SHOWN // 2], *self.changes[-_SHOWN // 2 :]]
        )
        lines += [f"  {self.gain_words(one)}  {one.verdict}: {title(one.names)}" for one in ends]
        if len(ends) < len(self.changes):
            lines.append(f"  ... and {len(self.changes) - len(ends)} between these, in {TABLE}")
        return lines

    def sentences(self) -> list[str]:
        """The best of each, how many became better and worse, and what one run alone has; or why none is compared."""
        if self.refusal:
            return [f"Scores are not paired: {self.refusal}."]
        sentences = []
        if self.best:
            sentences.append(self._best_words(self.best))
        counts = {verdict: sum(one.verdict == verdict for one in self.changes) for verdict in (BETTER, WORSE)}
        by_chance = len(self.changes) / 20
        sentences.append(
            "No combination is in both runs."
            if not self.changes
            else f"Of {len(self.changes)} combinations in both, {counts[BETTER]} did better and {counts[WORSE]} worse "
            f"beyond their 95 % intervals (paired, over groups; by chance alone about {by_chance:.1f} would be)."
        )
        for run, one in self.alone.items():
            sentences.append(
                f"Only in the {run}: {one.count} combination{'s' if one.count > 1 else ''}, the best of them "
                f"{title(one.names)}, {self.metric.with_unit(one.value)}."
            )
        return sentences

    def _best_words(self, best: Best) -> str:
        first, second = title(best.first), title(best.change.names)
        against = f"{first}, in both" if first == second else f"{first}, against {second}"
        return (
            f"Best of {best.counts[0]} in the first against best of {best.counts[1]} in the second: {against}: "
            f"{self.gain_words(best.change)} (paired). Each was selected as the best, and so looks better than it is."
        )

    def gain_words(self, one: Change) -> str:
        """Both scores and their difference, with its interval."""
        before, after = self.metric.with_unit(one.first), self.metric.with_unit(one.second)
        return f"{before} to {after}, {self.difference(one)}"

    def difference(self, one: Change) -> str:
        """The second score less the first, with its interval."""
        unit = " points" if self.metric.unit == "percent" else ""
        gain, low, high = (self.scale * number for number in (one.gain.drop, one.gain.low, one.gain.high))
        return f"{gain:+.2f}{unit} [{low:+.2f} to {high:+.2f}]"

    @property
    def scale(self) -> int:
        """By which a difference is multiplied to be in points, where the metric is in percent."""
        return 100 if self.metric.unit == "percent" else 1

    def table(self) -> pd.DataFrame:
        """One row a combination."""
        import pandas as pd

        rows = [
            {
                **dict(zip(NAMES, one.names, strict=True)),
                "first": one.first,
                "second": one.second,
                "gain": one.gain.drop,
                "low": one.gain.low,
                "high": one.gain.high,
                "verdict": one.verdict,
            }
            for one in self.changes
        ]
        return pd.DataFrame(rows, columns=[*NAMES, "first", "second", "gain", "low", "high", "verdict"])


def share_images(first: FinishedRun, second: FinishedRun) -> bool:
    """Whether most images of the smaller run are in the other one, too."""
    one, other = set(first.images["image_id"]), set(second.images["image_id"])
    return 2 * len(one & other) > min(len(one), len(other))


def compare_same_images(
    first: FinishedRun, second: FinishedRun, target: Path | None = None, metric: str | None = None
) -> SameImages:
    """Compare the combinations that two runs have in common, on the images and folds that they have in common.

    Parameters
    ----------
    first, second : FinishedRun
    target : Path, optional
        Folder for ``same_images.csv``; by default nothing is written.
    metric : str, optional
        By default the one that the first run is ranked by.

    Raises
    ------
    ConfigurationError
        There is no such metric in both.
    StorageError
        A table is damaged.
    """
    name = metric or first.metric
    for run in (first, second):
        if name not in run.leaderboard:
            raise ConfigurationError(
                f"The run in {run.folder} has no metric '{name}'.",
                expected="a column of both leaderboards",
                received=name,
            )
    chosen, changed = metric_of(name), list(what_changed(first, second))
    pairing = pair(first, second)
    if isinstance(pairing, str):
        return SameImages(changed, chosen, [], pairing)
    result = SameImages(changed, chosen, **_compared(first, second, pairing, chosen))
    if target is not None:
        mark_output(target)
        RunFolder(target).write_table(TABLE, result.table())
    return result


def _compared(first: FinishedRun, second: FinishedRun, pairing: Pairing, metric: Metric) -> dict[str, Any]:
    """What `SameImages` holds of scores that can be paired."""
    evaluation = first.experiment.evaluation
    paired = pairing.repeats(metric, evaluation.resamples, evaluation.seed)
    scores = [dict(_scores(run, pairing, paired)) for run in (first, second)]
    drops = next(iter(paired.values()))

    def change(before: Names, after: Names) -> Change:
        one, other = scores[0][before], scores[1][after]
        return Change(after, one[0], other[0], drops.drop(other, one))

    changes = [change(names, names) for names in scores[0] if names in scores[1]]
    best, (one, other) = None, (run.answer.best for run in (first, second))
    if one and other and one.names in scores[0] and other.names in scores[1]:
        best = Best(one.names, (one.picked_among, other.picked_among), change(one.names, other.names))
    sides = {"first": (scores[0], scores[1]), "second": (scores[1], scores[0])}
    alone = {run: _alone(own, others, metric) for run, (own, others) in sides.items()}
    return {
        "changes": sorted(changes, key=lambda one: -one.gain.drop),
        "best": best,
        "alone": {run: one for run, one in alone.items() if one},
    }


def _alone(own: Mapping[Names, Scores], others: Mapping[Names, Scores], metric: Metric) -> Alone | None:
    values = {names: value for names, (value, _) in own.items() if names not in others}
    if not values:
        return None
    names = (max if metric.greater_is_better else min)(values, key=lambda one: values[one])
    return Alone(len(values), names, values[names])


def _scores(run: FinishedRun, pairing: Pairing, paired: Mapping[int, PairedScores]) -> Iterator[tuple[Names, Scores]]:
    """Of each combination, the mean over repeats."""
    table = run.predictions[run.predictions["kind"] == "combination"]
    columns = [f"p_{name}" for name in pairing.classes]
    for names, rows in table.groupby(list(NAMES), sort=False):
        aligned = pairing.folds[list(KEY)].merge(numbered(rows)[[*KEY, *columns]], on=list(KEY), how="left")
        if aligned[columns].isna().any(axis=None):
            continue
        values = [
            one.scores(aligned.loc[pairing.folds["repeat"] == repeat, columns].to_numpy())
            for repeat, one in paired.items()
        ]
        extractor, selector, classifier = map(str, names)
        mean = float(np.mean([value for value, _ in values])), np.mean([drawn for _, drawn in values], axis=0)
        yield (extractor, selector, classifier), mean
