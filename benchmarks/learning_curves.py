"""Whether intervals of learning curves hold: ``python -m benchmarks.learning_curves [--sets 200] [--seed 1]``.

From the project's root. Two classes are normal around two centres, and two classifiers are fitted: the nearest centre,
and linear discriminants, which need more images. What each gains when training images are doubled is known from many
further sets. Prints how often the intervals of `leukobench.evaluation.statistics.curves` hold it (95 % are wanted),
and how often a pair is said to change places that does not.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NearestCentroid

from leukobench.evaluation.folds import Fold, make_folds
from leukobench.evaluation.metrics import BALANCED_ACCURACY
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.curves import Curves, Point
from leukobench.evaluation.statistics.entry import Design
from leukobench.evaluation.statistics.resampling import GroupResamples
from leukobench.evaluation.subsamples import halved
from leukobench.evaluation.task import Task

_FOLDS, _HALVINGS, _DRAWS, _TRUE_SETS, _TEST = 5, 3, 2, 200, 1000
_SETTINGS = {
    "60 images, 5 numbers": (60, 5, 1.2),
    "200 images, 10 numbers": (200, 10, 1.0),
    "24 patients": (24, 4, 1.5),
}
_IMAGES_OF_A_PATIENT = 8


def draw(rng: np.random.Generator, groups: int, width: int, gap: float, each: int) -> tuple[np.ndarray, Task]:
    """Images in groups: half of each group's deviation from the centre of its class is the group's own."""
    labels = np.arange(groups) % 2
    mixing = np.eye(width) + 0.6 * np.eye(width, k=1)
    centre = np.zeros(width)
    centre[0] = gap
    own = rng.normal(size=(groups, 1, width)) * np.sqrt(0.5 if each > 1 else 0.0)
    rest = rng.normal(size=(groups, each, width)) * np.sqrt(0.5 if each > 1 else 1.0)
    values = (own + rest) @ mixing + labels[:, None, None] * centre
    places = np.repeat(np.arange(groups), each)
    names = [f"{number:064}" for number in range(groups * each)]
    return values.reshape(-1, width), Task.of(names, [str(label) for label in labels[places]], places.tolist())


def models() -> list[object]:
    """One that needs few images, and one that needs more."""
    return [NearestCentroid(), LinearDiscriminantAnalysis()]


def curves(values: np.ndarray, task: Task, seed: int) -> Curves:
    """As the study does it."""
    folds = make_folds(task, _FOLDS, 1, seed)
    drawn = GroupResamples(task.groups, 500, seed)
    rows: list[list[Point]] = [[] for _ in models()]
    design = None
    for times in range(_HALVINGS, -1, -1):
        parts = halved(task, folds, times, _DRAWS, seed)
        repeats = 1 + max(fold.repeat for fold in parts)
        numbers = np.zeros((repeats, len(task)), dtype=np.int64)
        for fold in parts:
            numbers[fold.repeat, fold.test] = fold.number
        design = Design(task.labels, numbers, drawn, Scorer(task.classes, [BALANCED_ACCURACY]), BALANCED_ACCURACY)
        for place, model in enumerate(models()):
            rows[place].append(Point.of(design, _predict(model, values, task, parts, repeats)))
    assert design is not None
    return Curves(rows, design)


def _predict(model: object, values: np.ndarray, task: Task, folds: list[Fold], repeats: int) -> np.ndarray:
    probabilities = np.zeros((repeats, len(task), 2))
    for fold in folds:
        model.fit(values[fold.train], task.labels[fold.train])
        probabilities[fold.repeat, fold.test] = np.eye(2)[model.predict(values[fold.test])]
    return probabilities


def truths(rng: np.random.Generator, groups: int, width: int, gap: float, each: int) -> np.ndarray:
    """Expected score of each model with training parts of each size, fewest first."""
    trained = groups * (_FOLDS - 1) / _FOLDS
    scores = []
    for times in range(_HALVINGS, -1, -1):
        size = max(4, 2 * round(trained / 2**times / 2))
        own = []
        for _ in range(_TRUE_SETS):
            train, labels = draw(rng, size, width, gap, each)
            test, wanted = draw(rng, _TEST // each, width, gap, each)
            fitted = [model.fit(train, labels.labels) for model in models()]
            own.append([np.mean(model.predict(test) == wanted.labels) for model in fitted])
        scores.append(np.mean(own, axis=0))
    return np.array(scores).T


def main() -> None:
    """Print a line a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, (groups, width, gap) in _SETTINGS.items():
        rng = np.random.default_rng(arguments.seed)
        each = _IMAGES_OF_A_PATIENT if "patients" in name else 1
        expected = truths(rng, groups, width, gap, each)
        held, bands, crossed = [], [], 0
        for number in range(arguments.sets):
            values, task = draw(rng, groups, width, gap, each)
            drawn = curves(values, task, number)
            last = drawn.values.shape[1] - 1
            for model in range(2):
                bands += [_holds(drawn.band(model, size), expected[model, size]) for size in range(last + 1)]
                held += [
                    _holds(drawn.gain(model, size, size + 1), expected[model, size + 1] - expected[model, size])
                    for size in range(last)
                ]
            ahead = expected[0] - expected[1]
            crossed += any(
                (ahead[one.size] > 0) != (one.few == 0) or (ahead[last] > 0) != (one.all == 1)
                for one in drawn.crossings()
            )
        true = "; ".join(" ".join(f"{100 * value:.1f}" for value in row) for row in expected)
        sys.stdout.write(
            f"{name}: true scores {true} %; bands hold {np.mean(bands):.3f}, gains of a doubling {np.mean(held):.3f}, "
            f"false changes of places in {crossed} of {arguments.sets} sets\n"
        )
        sys.stdout.flush()


def _holds(interval: tuple[float, float, float], value: float) -> bool:
    return interval[1] <= value <= interval[2]


if __name__ == "__main__":
    main()
