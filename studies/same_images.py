"""Two runs on the same images: what was changed between them, and which combinations it made better or worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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

if TYPE_CHECKING:
    import pandas as pd

BETTER, WORSE, ALIKE = "better", "worse", "no difference beyond the interval"
TABLE = "same_images.csv"
_SHOWN = 12
_KEY = ("image_id", "copy", "repeat")


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
    best : Change or None
        The best combination of each, where these are not the same one.
    """

    changed: list[str]
    metric: Metric
    changes: list[Change]
    refusal: str = ""
    best: Change | None = None

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
        """The best of each, and how many combinations are better and worse; or why none is compared."""
        if self.refusal:
            return [f"Scores are not paired: {self.refusal}."]
        sentences = []
        if self.best:
            gain = self.gain_words(self.best)
            sentences.append(f"Best of each, both picked among many: {title(self.best.names)}: {gain}.")
        counts = {verdict: sum(one.verdict == verdict for one in self.changes) for verdict in (BETTER, WORSE)}
        by_chance = len(self.changes) / 20
        sentences.append(
            f"Of {len(self.changes)} combinations in both, {counts[BETTER]} did better and {counts[WORSE]} worse "
            f"beyond their 95 % intervals (paired, over groups; by chance alone about {by_chance:.1f} would be)."
        )
        return sentences

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
    chosen, changed = metric_of(name), list(_what_changed(first, second))
    pairing = pair(first, second)
    if isinstance(pairing, str):
        return SameImages(changed, chosen, [], pairing)
    result = SameImages(changed, chosen, *_changes(first, second, pairing, chosen))
    if target is not None:
        mark_output(target)
        RunFolder(target).write_table(TABLE, result.table())
    return result


def _what_changed(first: FinishedRun, second: FinishedRun) -> Iterator[str]:
    one, other = set(first.images["image_id"]), set(second.images["image_id"])
    if one != other:
        yield f"images: {len(one - other):,} are in the first alone, {len(other - one):,} in the second alone"
    before, after = (flat(run.experiment_file) for run in (first, second))
    for key in [*before, *(key for key in after if key not in before)]:
        if before.get(key) != after.get(key) and not key.startswith(
            ("name", "results", "resolved.images", "images.folder")
        ):
            kind = "version of " + key.removeprefix("resolved.software.") if "resolved.software" in key else key
            if not key.startswith("resolved.") or "software" in key:
                yield f"{kind}: {_short(before.get(key))} to {_short(after.get(key))}"


def flat(mapping: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Keys of a nested mapping joined by dots, such as ``evaluation.folds``, and their values."""
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        place = f"{above}{key}"
        values |= flat(value, f"{place}.") if isinstance(value, Mapping) and value else {place: value}
    return values


def _short(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


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
    tables = [_numbered(run.folds) for run in (first, second)]
    both = tables[0].merge(tables[1], on=list(_KEY), suffixes=("", "_second"))
    classes = [tuple(sorted(run.images["label"].unique())) for run in (first, second)]
    if classes[0] != classes[1]:
        return f"the classes differ: {', '.join(classes[0])} and {', '.join(classes[1])}"
    if not len(both):
        return "they have no images in common"
    for column, words in (("label", "labels"), ("group", "groups"), ("fold", "folds")):
        different = both[column].astype(str) != both[f"{column}_second"].astype(str)
        if different.any():
            return f"the {words} of {different.sum():,} of {len(both):,} common images differ"
    return Pairing(both[[*_KEY, "fold", "label", "group"]].sort_values(list(_KEY), ignore_index=True), classes[0])


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """With a number for each of several identical files."""
    ordered = table.sort_values(["repeat", "row"])
    return ordered.assign(copy=ordered.groupby(["repeat", "image_id"]).cumcount())


def _changes(
    first: FinishedRun, second: FinishedRun, pairing: Pairing, metric: Metric
) -> tuple[list[Change], str, Change | None]:
    evaluation = first.experiment.evaluation
    paired = pairing.repeats(metric, evaluation.resamples, evaluation.seed)
    scores = [dict(_scores(run, pairing, paired)) for run in (first, second)]
    drops = next(iter(paired.values()))

    def change(before: Names, after: Names) -> Change:
        one, other = scores[0][before], scores[1][after]
        return Change(after, one[0], other[0], drops.drop(other, one))

    changes = [change(names, names) for names in scores[0] if names in scores[1]]
    best = [run.answer.best.names if run.answer.best else None for run in (first, second)]
    pair = None
    if best[0] in scores[0] and best[1] in scores[1] and best[0] != best[1]:
        pair = change(best[0], best[1])
    return sorted(changes, key=lambda one: -one.gain.drop), "", pair


def _scores(run: FinishedRun, pairing: Pairing, paired: Mapping[int, PairedScores]) -> Iterator[tuple[Names, Scores]]:
    """Of each combination, the mean over repeats."""
    table = run.predictions[run.predictions["kind"] == "combination"]
    columns = [f"p_{name}" for name in pairing.classes]
    for names, rows in table.groupby(list(NAMES), sort=False):
        aligned = pairing.folds[list(_KEY)].merge(_numbered(rows)[[*_KEY, *columns]], on=list(_KEY), how="left")
        if aligned[columns].isna().any(axis=None):
            continue
        values = [
            one.scores(aligned.loc[pairing.folds["repeat"] == repeat, columns].to_numpy())
            for repeat, one in paired.items()
        ]
        extractor, selector, classifier = map(str, names)
        mean = float(np.mean([value for value, _ in values])), np.mean([drawn for _, drawn in values], axis=0)
        yield (extractor, selector, classifier), mean
