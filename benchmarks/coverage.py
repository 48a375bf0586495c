"""How often 95 % intervals hold the truth, by simulation: groups whose images go together, two classes.

    python benchmarks/coverage.py --groups 10 --accuracies 0.9 --simulations 1000

The margin by which an image is right is normal, with a part that its group shares; probabilities are a logistic
function of it, so calibrated ones, overconfident ones and ones that are 0 or 1 follow from one model, whose true scores
are known. A row is the worst of these. ``--rare`` makes one class a tenth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leukobench.evaluation.metric import FromAreas
from leukobench.evaluation.metrics import metrics_of
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.adverse import adverse_groups
from leukobench.evaluation.statistics.limits import Evidence, metric_limits
from leukobench.evaluation.statistics.resampling import GroupResamples

CONFIDENCE = {"calibrated": 1.0, "overconfident": 3.0, "0 or 1": 1000.0}
SHARED = (0.3,)
SHOWN = (
    "brier", "log_loss", "ece", "accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "sensitivity[a]"
)  # fmt: skip
METRICS = [metric for metric in metrics_of(patients=False) if not isinstance(metric.source, FromAreas)]
SCORER = Scorer(("a", "b"), METRICS)


@dataclass(frozen=True)
class Setting:
    """Groups of equally many images, whose margins share a part of their variance; one label a group."""

    groups: int
    images: int
    accuracy: float
    confidence: float
    shared: float
    rare: float = 0.5

    @property
    def labels(self) -> np.ndarray:
        """Of the groups."""
        ones = max(round(self.groups * self.rare), 1)
        return np.arange(self.groups) < ones

    def predict(self, margins: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Probabilities, shape (n, 2): with a confidence of 1 they are calibrated."""
        from scipy.special import expit
        from scipy.stats import norm

        own = expit(np.clip(2 * self.confidence * norm.ppf(self.accuracy) * margins, -40, 40))
        return np.where((labels[:, None] == np.arange(2)), own[:, None], 1 - own[:, None])

    def truth(self) -> dict[str, float]:
        """Scores of endlessly many images."""
        from scipy.stats import norm

        each = 200_000
        margins = norm.ppf(self.accuracy) + norm.ppf((np.arange(each) + 0.5) / each)
        labels = np.repeat([0, 1], each)
        tally = SCORER.tally(labels, self.predict(np.tile(margins, 2), labels), labels, 2)
        weights = np.array([1 - self.labels.mean(), self.labels.mean()])
        return {name: float(value) for name, value in SCORER.pooled_scores(weights @ tally).items()}

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Labels and probabilities of one sample, images in the order of the groups."""
        from scipy.stats import norm

        shared = np.sqrt(self.shared) * rng.normal(size=(self.groups, 1))
        own = np.sqrt(1 - self.shared) * rng.normal(size=(self.groups, self.images))
        labels = np.repeat(self.labels.astype(np.int64), self.images)
        return labels, self.predict((norm.ppf(self.accuracy) + shared + own).ravel(), labels)


def limits(draws: GroupResamples, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, tuple[float, float]]:
    """As `leukobench.evaluation.statistics.entry` has them, without areas under ROC curves."""
    tally = SCORER.tally(labels, probabilities, draws.codes, draws.count)
    whole, worst = tally.sum(axis=0), adverse_groups(SCORER, labels, probabilities, tally)
    sums = np.concatenate([drawn.T @ tally for drawn, _ in draws.chunks()])
    worse = {name: sums + draws.extra[:, None] * group for name, group in worst.items()}
    chance = [SCORER.by_chance(one, whole) for one in (sums, worse["ece"])]
    evidence = Evidence(
        SCORER,
        {name: float(value) for name, value in SCORER.pooled_scores(whole).items()},
        SCORER.pooled_scores(sums),
        {one.name: SCORER.value(one, worse[one.name]) for one in SCORER.metrics if one.name in worse},
        {"ece": np.array([one["ece"] for one in chance])},
        SCORER.counts(tally),
        np.zeros(2),
    )
    return metric_limits(evidence)


def coverage(setting: Setting, simulations: int, seed: int, resamples: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Share of simulations in which each interval of `SHOWN` holds the truth, and their mean widths."""
    rng = np.random.default_rng(seed)
    truth = np.array([setting.truth()[name] for name in SHOWN])
    draws = GroupResamples(np.repeat(np.arange(setting.groups), setting.images), resamples, seed)
    found = np.empty((simulations, len(SHOWN), 2))
    for one in found:
        interval = limits(draws, *setting.drawn(rng))
        one[:] = [interval[name] for name in SHOWN]
    low, high = found[..., 0], found[..., 1]
    return ((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean(axis=0), (high - low).mean(axis=0)


def settings(groups: int, accuracy: float, rare: float) -> Iterator[Setting]:
    """Up to 100 groups are patients of 30 images, more of them are independent images."""
    images = 30 if groups <= 100 else 1
    for confidence in CONFIDENCE.values():
        for shared in SHARED if images > 1 else (0.0,):
            yield Setting(groups, images, accuracy, confidence, shared, rare)


def main() -> None:
    """Print the rows of the table: lowest coverage, and in brackets the greatest mean width."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", nargs="+", type=int, default=[10, 20, 24, 100, 400, 3000])
    parser.add_argument("--accuracies", nargs="+", type=float, default=[0.6, 0.9, 0.994, 0.9999])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rare", action="store_true", help="one class is a tenth of the groups, not a half")
    arguments = parser.parse_args()
    print("| groups | accuracy | " + " | ".join(SHOWN) + " |\n|" + "---|" * (2 + len(SHOWN)), flush=True)
    for groups in arguments.groups:
        for accuracy in arguments.accuracies:
            both = [
                coverage(setting, arguments.simulations, arguments.seed)
                for setting in settings(groups, accuracy, 0.1 if arguments.rare else 0.5)
            ]
            held, width = np.array([one for one, _ in both]).min(axis=0), np.array([one for _, one in both]).max(axis=0)
            cells = " | ".join(f"{one:.3f} ({other:.3f})" for one, other in zip(held, width, strict=True))
            print(f"| {groups} | {100 * accuracy:g} % | {cells} |", flush=True)


if __name__ == "__main__":
    main()
