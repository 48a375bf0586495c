"""What a bundle's flags and prediction sets do for new patients, where the patients of the training images are unknown.

``python -m benchmarks.new_patients [--simulations 40] [--seed 11]`` prints a table in Markdown: images of patients who
look alike (`share` of the variance of 40 features lies between patients), logistic regression in five folds, and the
same with each patient kept together. In each simulation 200 ordinary images of 50 new patients are predicted.
"""

from __future__ import annotations

import argparse

import numpy as np

FEATURES, IMAGES, CLASSES, LEVEL, NEW = 40, 600, 2, 0.95, 50
SHARES = (0.2, 0.65)


def draw(rng: np.random.Generator, patients: int, each: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels and patients; a class moves all patients of it by the same."""
    codes = np.repeat(np.arange(patients), each)
    labels = codes % CLASSES
    between, within = (rng.normal(size=(count, FEATURES)) for count in (patients, len(codes)))
    shift = np.zeros((CLASSES, FEATURES))
    shift[:, 0] = [-1, 1]
    return np.sqrt(share) * between[codes] + np.sqrt(1 - share) * within + shift[labels], labels, codes


def simulate(rng: np.random.Generator, patients: int, share: float, known: bool) -> tuple[float, float]:
    """Share of ordinary images of new patients that are flagged, and that are covered."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    from leukobench.bundling.build_reference import build_reference
    from leukobench.bundling.out_of_fold import OutOfFold
    from leukobench.evaluation.task import Task
    from leukobench.serving.conformal import prediction_sets

    train, labels, codes = draw(rng, patients, IMAGES // patients, share)
    new, truth, _ = draw(rng, NEW, 4, share)
    groups = codes if known else np.arange(len(labels))
    task = Task.of([f"{row:064x}" for row in range(len(labels))], [str(label) for label in labels], groups.tolist())
    names = [f"f_{column}" for column in range(FEATURES)]
    reference = build_reference(train.astype(np.float32), names, task)
    flagged = reference.rare(reference.scores(new.astype(np.float32))[1])
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    splits = list(splitter.split(train, labels, groups))
    model = LogisticRegression(max_iter=500)
    own = cross_val_predict(model, train, labels, cv=splits, method="predict_proba")
    folds = np.zeros(len(labels), dtype=np.int64)
    for number, (_, test) in enumerate(splits):
        folds[test] = number
    thresholds = OutOfFold(own, task.labels, task.groups, folds).conformal_scores().thresholds(LEVEL)
    members = prediction_sets(model.fit(train, labels).predict_proba(new), thresholds)
    return float(flagged.mean()), float(members[np.arange(len(truth)), truth].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=40)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    print("| training patients | share of variance between patients | known | flagged | covered at 95 % |")
    print("|---|---|---|---|---|")
    for patients in (10, 24, 100):
        for share in SHARES:
            for known in (False, True):
                rng = np.random.default_rng(arguments.seed)
                rates = [simulate(rng, patients, share, known) for _ in range(arguments.simulations)]
                flagged, covered = 100 * np.mean(rates, axis=0)
                row = patients, share, "yes" if known else "no", f"{flagged:.0f} %", f"{covered:.0f} %"
                print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
