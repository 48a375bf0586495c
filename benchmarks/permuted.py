"""How often ``--permute`` calls a leak where there is none, and how often where there is one.

``python -m benchmarks.permuted [--simulations 200] [--seed 5]`` prints a table in Markdown. Features are noise; three
classifiers (nearest centroid, naive Bayes, nearest neighbour) on all features and on the ten that differ most between
the classes, chosen inside the training fold or, as a leak, before the split. `smallest` is the leak that the sentence
names; today's other way, one permutation with intervals for all rows at once, could see 10.7 points with 200 images.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

PERMUTATIONS, FOLDS, FEATURES, KEPT = 19, 5, 60, 10
SETTINGS = {
    "10 patients of 12": (10, 12, 2),
    "24 patients of 1 to 15": (24, 0, 2),
    "200 images": (200, 1, 4),
    "400 images": (400, 1, 4),
}


def groups_of(rng: np.random.Generator, count: int, each: int) -> np.ndarray:
    return np.repeat(np.arange(count), each or rng.integers(1, 16, count))


def scores(X: np.ndarray, task: Any, seed: int, leaky: bool) -> dict[str, float]:
    """Balanced accuracy of each combination over five folds."""
    from leukobench.evaluation.folds import make_folds

    y, size = task.labels, len(task.classes)
    answers = {f"{c} {s}": np.zeros(len(y), int) for c in ("centroid", "bayes", "neighbour") for s in ("all", "few")}
    for fold in make_folds(task, FOLDS, 1, seed):
        few = strongest(X, y, size) if leaky else strongest(X[fold.train], y[fold.train], size)
        for name, columns in (("all", slice(None)), ("few", few)):
            train, test, labels = X[fold.train][:, columns], X[fold.test][:, columns], y[fold.train]
            means = np.array([train[labels == k].mean(axis=0) for k in range(size)])
            spread = np.array([train[labels == k].var(axis=0) + 1e-3 for k in range(size)])
            gaps = (test[:, None] - means) ** 2
            answers[f"centroid {name}"][fold.test] = gaps.sum(axis=2).argmin(axis=1)
            answers[f"bayes {name}"][fold.test] = (gaps / spread + np.log(spread)).sum(axis=2).argmin(axis=1)
            squares = (test**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * test @ train.T
            answers[f"neighbour {name}"][fold.test] = labels[squares.argmin(axis=1)]
    return {name: float(np.mean([(own[y == k] == k).mean() for k in range(size)])) for name, own in answers.items()}


def strongest(X: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    means = np.array([X[y == k].mean(axis=0) for k in range(size)])
    return np.argsort(-means.var(axis=0))[:KEPT]


def verdict(rng: np.random.Generator, setting: tuple[int, int, int], leaky: bool) -> dict[str, Any]:
    """The verdict on one simulated set."""
    import pandas as pd

    from leukobench.evaluation.chance import chance_verdict
    from leukobench.evaluation.guards import permute_labels
    from leukobench.evaluation.task import Task

    groups = groups_of(rng, *setting[:2])
    X = rng.normal(size=(len(groups), FEATURES)) + rng.normal(size=(len(groups), FEATURES))[groups]
    names = [f"{row:064x}" for row in range(len(groups))]
    task = Task.of(names, [f"c{group % setting[2]}" for group in groups], groups.tolist())
    rows = []
    for number in range(PERMUTATIONS):
        own = scores(X, permute_labels(task, number), number, leaky)
        place = {"permutation": number, "extractor": "x", "selector": "s"}
        rows += [place | {"classifier": name, "balanced_accuracy": value} for name, value in own.items()]
    return chance_verdict(pd.DataFrame(rows), setting[2], "all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    print("| images | called a leak, none | called a leak, selection before the split | it adds | smallest |")
    print("|---|---|---|---|---|")
    for name, setting in SETTINGS.items():
        rng = np.random.default_rng(arguments.seed)
        honest = [verdict(rng, setting, leaky=False) for _ in range(arguments.simulations)]
        leaky = [verdict(rng, setting, leaky=True) for _ in range(arguments.simulations // 5)]
        rates = [100 * np.mean([not one["at_chance"] for one in side]) for side in (honest, leaky)]
        added = 100 * np.mean([one["highest"] - one["expected"] for one in leaky])
        smallest = 100 * np.mean([one["smallest_leak"] for one in honest])
        cells = f"{rates[0]:.1f} %", f"{rates[1]:.0f} %", f"{added:.1f} points", f"{smallest:.1f} points"
        print(f"| {' | '.join([name, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
