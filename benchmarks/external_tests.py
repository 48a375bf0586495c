"""How honest external tests are where the truth is known: differences, calibration, shifts, recalibration.

Run with ``python -m benchmarks.external_tests --sets 200 --seed 7`` from the folder above the package.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from leukobench.evaluation.metrics import BALANCED_ACCURACY
from leukobench.evaluation.statistics.analysis import Analysis
from leukobench.evaluation.statistics.calibration_line import calibration_lines
from leukobench.evaluation.statistics.intervals import Interval
from leukobench.evaluation.statistics.recalibration import recalibration_curve
from leukobench.evaluation.statistics.shifts import Quantiles, shifts
from leukobench.studies.external_scores import FAR, gap_of

_MARGIN, _QUANTITIES = 0.1, 17


class Setting(NamedTuple):
    """Classes, groups here and there, images of each, and how much groups differ."""

    name: str
    classes: int
    inside: int
    outside: int
    images: int
    spread: float


SETTINGS = (
    Setting("300 images, 100 there, 2 classes", 2, 300, 100, 1, 0.0),
    Setting("40 patients with 8 images, 16 there, 2 classes", 2, 40, 16, 8, 1.0),
    Setting("60 patients with 5 images, 24 there, 4 classes", 4, 60, 24, 5, 1.0),
)


def draw(rng: np.random.Generator, setting: Setting, groups: int, skill: float) -> tuple[Any, Any, Any]:
    """Labels, true probabilities and groups: a class a group, whose images are more or less easy together."""
    codes = np.repeat(np.arange(groups), setting.images)
    labels = (np.arange(groups) % setting.classes)[codes]
    logits = (
        rng.normal(size=(len(codes), setting.classes))
        + setting.spread * rng.normal(size=(groups, setting.classes))[codes]
    )
    logits[np.arange(len(codes)), labels] += skill
    return labels, softmax(skill * logits / (1 + setting.spread**2), axis=1), codes


def interval(labels: Any, probabilities: Any, codes: Any, classes: int, seed: int) -> Interval:
    """Balanced accuracy as external tests and runs give it."""
    names, folds = tuple(map(str, range(classes))), np.zeros((1, len(labels)), dtype=np.int64)
    analysis = Analysis(labels, names, codes, folds, BALANCED_ACCURACY.name, seed, 300)
    analysis.add(("e", "s", "c"), "combination", probabilities[None])
    row = analysis.tables()["leaderboard"].iloc[0]
    return tuple(float(row[f"balanced_accuracy{end}"]) for end in ("", "_low", "_high"))  # type: ignore[return-value]


def differences(setting: Setting, sets: int, seed: int, here: float, there: float) -> tuple[float, Counter[str]]:
    """Coverage of the true difference, and how often each verdict follows."""
    rng = np.random.default_rng(seed)
    large = setting._replace(images=1)
    truth = [
        interval(*draw(rng, large, 20_000, skill), setting.classes, 0)[0] for skill in (there, here)
    ]  # spread and noise add up, so single images have the same mean
    true, verdicts, covered = truth[0] - truth[1], Counter[str](), 0
    for number in range(sets):
        inside = interval(*draw(rng, setting, setting.inside, here), setting.classes, number)
        outside = interval(*draw(rng, setting, setting.outside, there), setting.classes, number)
        _, low, high = gap_of(outside, inside)
        covered += low <= true <= high
        margin = _MARGIN * (inside[0] - 1 / setting.classes)
        verdicts["lower" if high < 0 else "holds" if low > -margin else "undecided"] += 1
    return covered / sets, verdicts


def lines(setting: Setting, sets: int, seed: int) -> tuple[float, float]:
    """How often the intervals of intercept and slope of the first class hold 0 and 1 where probabilities are true.

    Groups differ in what is not predicted: what is predicted is the mean over all groups that there might be.
    """
    rng, held = np.random.default_rng(seed), np.zeros(2)
    for _ in range(sets):
        codes = np.repeat(np.arange(setting.outside), setting.images)
        logits = rng.normal(0, 1.5, (len(codes), setting.classes))
        others = setting.spread * rng.normal(size=(200, 1, setting.classes))
        own = setting.spread * rng.normal(size=(setting.outside, setting.classes))[codes]
        below = softmax(logits + own, axis=1).cumsum(axis=1)[:, :-1]
        labels = (rng.random(len(codes))[:, None] > below).sum(axis=1)
        line = calibration_lines(labels, softmax(logits + others, axis=2).mean(axis=0), codes)[0]
        held += [line.intercept[1] <= 0 <= line.intercept[2], line.slope[1] <= 1 <= line.slope[2]]
    return held[0] / sets, held[1] / sets


def moved(setting: Setting, sets: int, seed: int, far: float) -> float:
    """How often a quantity of many is said to differ, where all move by `far` standard deviations of single images."""
    rng, alarms = np.random.default_rng(seed), 0
    for _ in range(sets):
        tables = []
        for groups, shift in ((setting.inside, 0.0), (setting.outside, far)):
            codes = np.repeat(np.arange(groups), setting.images)
            numbers = rng.normal(size=(len(codes), _QUANTITIES))
            numbers += setting.spread * rng.normal(size=(groups, _QUANTITIES))[codes] + shift
            tables.append((numbers, (np.arange(groups) % setting.classes)[codes], codes))
        (inside, labels, codes), outside = tables
        quantiles = Quantiles.of(list(map(str, range(_QUANTITIES))), inside, labels, codes, setting.classes)
        rows = [one.above for one in shifts(quantiles, *outside)]
        alarms += any(abs(value - 0.5) >= FAR and (low > 0.5 or high < 0.5) for value, low, high in rows)
    return alarms / sets


def recalibrated(setting: Setting, sets: int, seed: int, sharpen: float, shift: float) -> list[str]:
    """Log loss before and after recalibration, where probabilities are too extreme and favour the first class."""
    rng, curves = np.random.default_rng(seed), []
    for number in range(max(sets // 20, 3)):
        labels, probabilities, codes = draw(rng, setting, setting.outside, 2.0)
        wrong = softmax(sharpen * np.log(probabilities) + shift * np.eye(setting.classes)[0], axis=1)
        names = tuple(map(str, range(setting.classes)))
        points = recalibration_curve(labels, wrong, codes, names, [BALANCED_ACCURACY], 20, number)
        curves.append({one.groups: (one.before, one.after) for one in points if one.metric == "log_loss"})
    sizes = sorted(set().union(*curves))
    means = {size: np.mean([one[size] for one in curves if size in one], axis=0) for size in sizes}
    return [f"{size}: {before:.3f} -> {after:.3f}" for size, (before, after) in means.items()]


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    for setting in SETTINGS:
        print(f"\n{setting.name}")
        for there in (2.5, 2.2, 1.5):
            coverage, verdicts = differences(setting, options.sets, options.seed, 2.5, there)
            print(f"  skill 2.5 here, {there} there: difference covered {coverage:.3f}; {dict(verdicts)}")
        print("  intercept, slope covered: {:.3f}, {:.3f}".format(*lines(setting, options.sets, options.seed)))
        for far in (0.0, 0.5, 1.5):
            print(f"  a shift of {far} is said in {moved(setting, options.sets, options.seed, far):.3f}")
        for sharpen, shift in ((1.0, 0.0), (3.0, 0.0), (1.0, 2.0)):
            print(
                f"  recalibrated, {sharpen:g} times as extreme, {shift:+g}:",
                "; ".join(recalibrated(setting, options.sets, options.seed, sharpen, shift)),
            )


if __name__ == "__main__":
    main()
