"""How often 95 % intervals hold the truth, by simulation: groups whose images go together, two classes.

    python benchmarks/coverage.py --groups 10 --accuracies 0.9

The margin by which an image is right is normal, with a part that its group shares; probabilities are a logistic
function of it. So calibrated ones, overconfident ones and ones that are 0 or 1 follow from one model, whose true scores
are known. A row holds the lowest coverage of these three, and in brackets their greatest mean width. Up to 100 groups
are patients of 30 images with one label each, more of them are independent images.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leukobench.evaluation.metrics import ACCURACY, BALANCED_ACCURACY, BRIER, ECE, LOG_LOSS
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics import intervals
from leukobench.evaluation.statistics.adverse import exchange, mixtures
from leukobench.evaluation.statistics.limits import Evidence, of_classes, of_images
from leukobench.evaluation.statistics.resampling import GroupResamples

CONFIDENCE = {"calibrated": 1.0, "overconfident": 3.0, "0 or 1": 1000.0}
SCORER = Scorer(("a", "b"), [ACCURACY, BALANCED_ACCURACY, BRIER, LOG_LOSS, ECE])
SHOWN = ("brier", "log_loss", "ece", "accuracy", "balanced_accuracy", "of rates alone")
Limits = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Setting:
    """Groups of equally many images, whose margins share a part of their variance; one label a group."""

    groups: int
    images: int
    accuracy: float
    confidence: float
    shared: float
    rare: float

    @property
    def labels(self) -> np.ndarray:
        """Of the groups."""
        return (np.arange(self.groups) < max(round(self.groups * self.rare), 1)).astype(np.int64)

    def predict(self, margins: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Probabilities, shape (n, 2)."""
        from scipy.special import expit
        from scipy.stats import norm

        own = expit(np.clip(2 * self.confidence * norm.ppf(self.accuracy) * margins, -40, 40))
        return np.where((labels[:, None] == np.arange(2)), own[:, None], 1 - own[:, None])

    def truth(self) -> dict[str, float]:
        """Scores of endlessly many images."""
        from scipy.stats import norm

        each = 500_000
        margins, labels = norm.ppf(self.accuracy) + norm.ppf((np.arange(each) + 0.5) / each), np.repeat([0, 1], each)
        tally = SCORER.tally(labels, self.predict(np.tile(margins, 2), labels), labels, 2)
        weights = np.bincount(self.labels, minlength=2) / self.groups
        return {name: float(value) for name, value in SCORER.pooled_scores(weights @ tally).items()}

    def drawn(self, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Tallies of the groups of some samples, and of each class's images if all were wrong: (samples, ..., sums)."""
        from scipy.stats import norm

        shape = (samples, self.groups, self.images)
        shared, own = rng.normal(size=(*shape[:2], 1)), rng.normal(size=shape)
        margins = norm.ppf(self.accuracy) + np.sqrt(self.shared) * shared + np.sqrt(1 - self.shared) * own
        labels = np.tile(np.repeat(self.labels, self.images), samples)
        probabilities = self.predict(margins.ravel(), labels)
        groups = np.repeat(np.arange(samples * self.groups), self.images)
        tally = SCORER.tally(labels, probabilities, groups, samples * self.groups)
        classes = groups // self.groups * 2 + labels
        wrong = SCORER.tally(labels, exchange(labels, probabilities), classes, samples * 2)
        return tally.reshape(samples, self.groups, -1), wrong.reshape(samples, 2, -1)


def limits(setting: Setting, draws: GroupResamples, tally: np.ndarray, wrong: np.ndarray) -> dict[str, Limits]:
    """Of samples with these tallies, as `leukobench.evaluation.statistics.limits` has them."""
    samples, whole = len(tally), tally.sum(axis=1)
    flat = tally.transpose(1, 0, 2).reshape(setting.groups, -1)
    sums = np.concatenate([(drawn.T @ flat).reshape(-1, samples, tally.shape[2]) for drawn, _ in draws.chunks()])
    worse = {name: sums + draws.extra[:, None, None] * group for name, group in mixtures(SCORER, tally, wrong).items()}
    counts = SCORER.counts(tally).transpose(1, 0, 2, 3)
    evidence = Evidence(
        SCORER,
        SCORER.pooled_scores(whole),
        SCORER.pooled_scores(sums),
        {one.name: SCORER.value(one, worse[one.name]) for one in SCORER.metrics if one.name in worse},
        {"ece": np.array([SCORER.by_chance(one, whole)["ece"] for one in (sums, worse["ece"])])},
        counts,
        np.zeros(2),
    )
    by_metric = {one.name: of_images(one, one.source, evidence) for one in (BRIER, LOG_LOSS, ECE)}
    for metric in (ACCURACY, BALANCED_ACCURACY):
        value, resampled = evidence.value[metric.name], evidence.resampled[metric.name]
        percentile = intervals.percentile(resampled, setting.groups)
        by_metric[metric.name] = intervals.farther(value, percentile, exact(*metric.source.parts(counts)))
    by_metric["of rates alone"] = by_metric["balanced_accuracy"]
    adverse = of_classes(BALANCED_ACCURACY, evidence)
    by_metric["balanced_accuracy"] = intervals.nearer(
        evidence.value["balanced_accuracy"], by_metric["balanced_accuracy"], adverse
    )
    return by_metric


def exact(hits: np.ndarray, images: np.ndarray) -> Limits:
    """Of the mean of rates, from counts of shape (groups, samples, rates)."""
    groups, samples, size = hits.shape
    low, high = (
        one.reshape(samples, size)
        for one in intervals.rates(hits.reshape(groups, -1), np.broadcast_to(images, hits.shape).reshape(groups, -1))
    )
    values = hits.sum(axis=0) / np.broadcast_to(images, hits.shape).sum(axis=0)
    means = [intervals.mean(*row) for row in zip(values, low, high, strict=True)]
    return np.array([one[0] for one in means]), np.array([one[1] for one in means])


def coverage(setting: Setting, simulations: int, seed: int, resamples: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Share of simulations in which each interval of `SHOWN` holds the truth, and their mean widths."""
    rng, truth = np.random.default_rng(seed), setting.truth() | {"of rates alone": setting.accuracy}
    draws = GroupResamples(np.arange(setting.groups), resamples, seed)
    held, width, step = np.zeros(len(SHOWN)), np.zeros(len(SHOWN)), 100
    rounds = -(-simulations // step)
    for _ in range(rounds):
        by_metric = limits(setting, draws, *setting.drawn(step, rng))
        for place, name in enumerate(SHOWN):
            low, high = by_metric[name]
            held[place] += ((low <= truth[name] + 1e-9) & (truth[name] <= high + 1e-9)).sum()
            width[place] += (high - low).sum()
    return held / (rounds * step), width / (rounds * step)


def settings(groups: int, accuracy: float, rare: float) -> Iterator[Setting]:
    """The three kinds of probabilities."""
    for confidence in CONFIDENCE.values():
        yield Setting(
            groups, *((30, accuracy, confidence, 0.3) if groups <= 100 else (1, accuracy, confidence, 0)), rare
        )


def main() -> None:
    """Print the rows of the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", nargs="+", type=int, default=[10, 20, 24, 100, 400, 3000])
    parser.add_argument("--accuracies", nargs="+", type=float, default=[0.6, 0.9, 0.994, 0.9999])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rare", type=float, default=0.5, help="share of the groups that is of the first class")
    arguments = parser.parse_args()
    print("| groups | accuracy | " + " | ".join(SHOWN) + " |\n|" + "---|" * (2 + len(SHOWN)), flush=True)
    for groups in arguments.groups:
        for accuracy in arguments.accuracies:
            rows = settings(groups, accuracy, arguments.rare)
            both = np.array([coverage(setting, arguments.simulations, arguments.seed) for setting in rows])
            held, width = both[:, 0].min(axis=0), both[:, 1].max(axis=0)
            cells = " | ".join(f"{one:.3f} ({other:.3g})" for one, other in zip(held, width, strict=True))
            print(f"| {groups} | {100 * accuracy:g} % | {cells} |", flush=True)


if __name__ == "__main__":
    main()
