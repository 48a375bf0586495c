"""How often the set of the best holds the truly best, whom it excludes, and how often "better than" is wrong.

    python -m leukobench.benchmarks.best_set [--simulations 1000] [--seed 7] [--settings "10 patients;400 images"]

Counts of right images are drawn, not images: a model is right where a latent score of the image exceeds its threshold.
The score has parts that all models share (the image, the patient) and parts of the model's own (by patient, by image),
so right answers go together within patients and between models. A model's true balanced accuracy is exact: that of the
fitted model on new patients. The oracle tests the same differences with their true covariance.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import norm

from ..evaluation.metric import Floats, Integers
from ..evaluation.metrics import BALANCED_ACCURACY
from ..evaluation.statistics.best_set import Differences, best_set, less_one, one_error

_RESAMPLES, _WORSE, _COVARIANCE = 1000, 24, 1500


@dataclass(frozen=True)
class Setting:
    """So many groups of about so many images; shares of the score's variance: image, patient, model by patient."""

    name: str
    groups: int
    images: int
    classes: int
    shares: tuple[float, float, float]


SETTINGS = [
    Setting("10 patients", 10, 40, 2, (0.4, 0.05, 0.03)),
    Setting("10 patients, unlike", 10, 40, 2, (0.3, 0.2, 0.15)),
    Setting("24 patients", 24, 40, 2, (0.4, 0.05, 0.03)),
    Setting("24 patients, unlike", 24, 40, 2, (0.3, 0.2, 0.15)),
    Setting("100 patients", 100, 20, 4, (0.4, 0.05, 0.03)),
    Setting("100 patients, unlike", 100, 20, 4, (0.3, 0.2, 0.15)),
    Setting("400 images", 400, 1, 4, (0.5, 0.0, 0.0)),
    Setting("3,000 images", 3000, 1, 4, (0.5, 0.0, 0.0)),
]
SHORTCUTS = "shortcuts"
TRUTHS = {
    "25 equal": lambda top: np.full(1 + _WORSE, top),
    "96 equal": lambda top: np.full(96, top),
    "one better": lambda top: np.r_[top, np.full(_WORSE, top - 0.1)],
}


class Simulation:
    """Draws of one setting, with the same resamples in all, as in runs of one seed."""

    def __init__(self, setting: Setting, truth: Floats, seed: int) -> None:
        self.setting, self.truth = setting, truth
        self._rng = np.random.default_rng(seed)
        half = setting.images // 2
        self.sizes = (
            self._rng.integers(half, setting.images + half, setting.groups) if half else np.ones(setting.groups, int)
        )
        self.labels = np.arange(setting.groups) % setting.classes
        drawn = self._rng.multinomial(setting.groups, np.full(setting.groups, 1 / setting.groups), _RESAMPLES)
        self._weights = drawn.T.astype(np.float64)
        self.step = one_error(BALANCED_ACCURACY, np.repeat(self.labels, self.sizes), setting.classes)

    def hits(self) -> Floats:
        """Right images of each model in each group."""
        image, patient, own = self.setting.shares
        groups, codes = len(self.sizes), np.repeat(np.arange(len(self.sizes)), self.sizes)
        shape = len(self.truth), len(codes)
        score = np.sqrt(1 - image - patient - own) * self._rng.standard_normal(shape, dtype=np.float32)
        score += np.sqrt(image) * self._rng.standard_normal(len(codes), dtype=np.float32)
        if patient or own:
            by_group = np.sqrt(patient) * self._rng.standard_normal(groups, dtype=np.float32)
            by_group = by_group + np.sqrt(own) * self._rng.standard_normal((shape[0], groups), dtype=np.float32)
            score += by_group[:, codes]
        right = (score > norm.isf(self.truth)[:, None]).astype(np.float64)
        return np.add.reduceat(right, np.append(0, np.cumsum(self.sizes)[:-1]), axis=1)

    def balanced(self, hits: Floats, weights: Floats) -> Floats:
        """Balanced accuracy of each model for each column of weights; NaN where a class is absent."""
        rates = []
        for label in range(self.setting.classes):
            own = self.labels == label
            with np.errstate(invalid="ignore"):
                rates.append(hits[:, own] @ weights[own] / (self.sizes[own] @ weights[own]))
        return np.mean(rates, axis=0)

    def values(self) -> Floats:
        """As measured, of one draw."""
        return self.balanced(self.hits(), np.ones((len(self.sizes), 1)))[:, 0]

    def differences(self) -> Differences:
        """As a run computes them, of one draw."""
        hits = self.hits()
        value = self.balanced(hits, np.ones((len(self.sizes), 1)))[:, 0]
        resampled = self.balanced(hits, self._weights)
        return Differences.of(value, resampled, self.setting.groups, self.setting.classes, self.step)


class Oracle:
    """Multiple comparisons with the best, with the true covariance and normal quantiles."""

    def __init__(self, simulation: Simulation) -> None:
        draws = np.array([simulation.values() for _ in range(_COVARIANCE)])
        deviations = (draws - draws.mean(axis=0)).T
        products = np.cov(deviations)
        own = np.diag(products)
        self._errors = np.sqrt(np.maximum(own[:, None] + own - 2 * products, 1e-12))
        chance = np.linalg.cholesky(products + 1e-12 * np.eye(len(own))) @ np.random.default_rng(0).normal(
            size=(len(own), 4000)
        )
        self._bounds = [
            np.quantile(((chance - chance[one]) / self._errors[:, [one]]).max(axis=0), 0.95) for one in range(len(own))
        ]

    def members(self, values: Floats) -> Integers:
        """Which stay."""
        return ((values[:, None] - values) / self._errors).max(axis=0) <= self._bounds


def of_sets(setting: Setting, truth: str, top: float, simulations: int, seed: int) -> dict[str, float]:
    """Shares and means over simulations."""
    simulation = Simulation(setting, TRUTHS[truth](top), seed)
    oracle = Oracle(simulation) if truth == "one better" else None
    low = 1 + (simulation.truth[:, None] > simulation.truth).sum(axis=0)
    high = len(simulation.truth) - (simulation.truth[:, None] < simulation.truth).sum(axis=0)
    rows = []
    for _ in range(simulations):
        differences = simulation.differences()
        statement = best_set(differences)
        first = int(np.argmax(differences.values))
        ideal = oracle.members(differences.values) if oracle else statement.member
        rows.append(
            (
                statement.member[simulation.truth == simulation.truth.max()].mean(),
                (~statement.member[-_WORSE:]).sum(),
                (~ideal[-_WORSE:]).sum(),
                statement.member.sum(),
                ((statement.rank_low <= low) & (statement.rank_high >= high)).all(),
                statement.rank_low[first] <= high[first] and statement.rank_high[first] >= low[first],
            )
        )
    names = "stays", "worse leave", "oracle", "size", "ranks hold", "rank of first"
    return dict(zip(names, np.mean(rows, axis=0, dtype=float).tolist(), strict=True))


def of_shortcuts(setting: Setting, top: float, simulations: int, seed: int) -> float:
    """How often the first of 96 equal combinations is called better than a shortcut that is equal to it."""
    simulation = Simulation(setting, np.full(97, top), seed)
    claimed = 0
    for _ in range(simulations):
        differences = simulation.differences()
        claimed += less_one(differences, int(np.argmax(differences.values[:96])), 96)[1] > 0
    return claimed / simulations


def _tops(truth: str) -> tuple[float, ...]:
    """True values of the best: near 100 % nearly everything is excluded where some are worse by 10 points."""
    return (0.95,) if truth == "one better" else (0.95, 0.994)


def _lines(arguments: argparse.Namespace) -> Iterator[str]:
    settings, truths = (set(filter(None, text.split(";"))) for text in (arguments.settings, arguments.truths))
    chosen = [one for one in SETTINGS if not settings or one.name in settings]
    yield "| setting | truth | best's value | stays | of 24 worse leave | oracle | share | size | ranks | first's |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for setting, truth in product(chosen, [one for one in TRUTHS if not truths or one in truths]):
        for top in _tops(truth):
            row = of_sets(setting, truth, top, arguments.simulations, arguments.seed)
            worse = row["worse leave"], row["oracle"], row["worse leave"] / max(row["oracle"], 1e-9)
            texts = [f"{number:.2f}" for number in worse] if truth == "one better" else ["-"] * 3
            shares = f"{row['size']:.1f} | {row['ranks hold']:.3f} | {row['rank of first']:.3f}"
            yield f"| {setting.name} | {truth} | {top} | {row['stays']:.3f} | {' | '.join(texts)} | {shares} |"
    yield "\n| setting | true value of all 97 | called better |\n|---|---|---|"
    for setting, top in product(chosen if not truths or SHORTCUTS in truths else (), _tops(SHORTCUTS)):
        claimed = of_shortcuts(setting, top, arguments.simulations, arguments.seed)
        yield f"| {setting.name} | {top} | {claimed:.4f} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--settings", default="", help="names with ; between them")
    parser.add_argument("--truths", default="", help=f"names with ; between them, and {SHORTCUTS}")
    start = time.perf_counter()
    for line in _lines(parser.parse_args()):
        print(line, flush=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
