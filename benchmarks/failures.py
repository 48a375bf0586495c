"""How often a part of the images is called worse where none is, and how often where one is.

    python -m leukobench.benchmarks.failures [--simulations 300] [--seed 101]

Patients have error rates drawn from a beta distribution (or images err independently). Four facts about patients of
three values each and four facts about images cut into fifths (half of their variance is between patients) make about 30
parts; in the second and third column one value of one fact of each kind makes errors three times as likely.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..evaluation.statistics.comparisons import holm
from ..evaluation.statistics.failures import beyond_doubt, failure
from ..evaluation.statistics.image_parts import Predicted, parts

TIMES = 3.0


@dataclass(frozen=True)
class Setting:
    """Patients of so many images (at most, where `uneven`), their mean error rate, and how alike errors of one are."""

    name: str
    patients: int
    images: int
    rate: float
    alike: float
    uneven: bool = False


SETTINGS = [
    Setting("10 patients of 40", 10, 40, 0.1, 0.05),
    Setting("10 patients of 40, unlike", 10, 40, 0.3, 0.3),
    Setting("24 patients of 20", 24, 20, 0.1, 0.1),
    Setting("24 patients of 1 to 40, unlike", 24, 40, 0.1, 0.2, True),
    Setting("100 patients of 10", 100, 10, 0.05, 0.1),
    Setting("400 images", 400, 1, 0.1, 0.0),
    Setting("3,000 images, few errors", 3000, 1, 0.004, 0.0),
    Setting("3,000 images", 3000, 1, 0.02, 0.0),
]


def drawn(setting: Setting, rng: np.random.Generator, harder: str = "") -> Predicted:
    """One simulated set; `harder` names a fact whose first value has more errors."""
    sizes = rng.integers(1, setting.images + 1, setting.patients) if setting.uneven else setting.images
    patients = np.repeat(np.arange(setting.patients), sizes)
    rates = np.full(setting.patients, setting.rate)
    if setting.alike:
        total = 1 / setting.alike - 1
        rates = rng.beta(setting.rate * total, (1 - setting.rate) * total, setting.patients)
    texts = {f"site {place}": rng.integers(0, 3, setting.patients).astype(str)[patients] for place in range(4)}
    numbers = {
        f"blur {place}": rng.normal(size=len(patients)) + rng.normal(size=setting.patients)[patients]
        for place in range(4)
    }
    rate = rates[patients]
    if harder:
        worse = texts[harder] == "0" if harder in texts else numbers[harder] > np.quantile(numbers[harder], 0.8)
        rate = np.where(worse, np.minimum(TIMES * rate, 1.0), rate)
    labels = patients % 2
    predicted = np.where(rng.random(len(rate)) < rate, 1 - labels, labels)[None]
    unknown = np.full(len(labels), "")
    return Predicted(labels, ("a", "b"), predicted, patients, np.arange(len(labels)), unknown, numbers, texts)


def called(images: Predicted) -> set[str]:
    """Facts with a part that is called worse."""
    every = list(parts(images))
    worse = beyond_doubt(holm(np.array([failure(part).p for part in every])))
    return {part.fact for part, flag in zip(every, worse, strict=True) if flag}


def rows(simulations: int, seed: int) -> Iterator[str]:
    """Lines of the table."""
    for setting in SETTINGS:
        rng = np.random.default_rng(seed)
        none = np.mean([bool(called(drawn(setting, rng))) for _ in range(simulations)])
        power = [
            np.mean([fact in called(drawn(setting, rng, fact)) for _ in range(simulations // 3)])
            for fact in ("site 0", "blur 0")
        ]
        yield f"| {setting.name} | {none:.1%} | {power[0]:.0%} | {power[1]:.0%} |"


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=300)
    parser.add_argument("--seed", type=int, default=101)
    arguments = parser.parse_args()
    print("| images | a part called worse, none is | found: a fact about patients | found: a fact about images |")
    print("|---|---|---|---|")
    for row in rows(arguments.simulations, arguments.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
