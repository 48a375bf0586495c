"""What files give away: how well each subject predicts the class of data sets, and how often it does by chance.

``python benchmarks/given_away.py FOLDER ... [--repeats 200] [--seed 7]`` prints two tables in Markdown: the most
accurate pair of classes of each subject, and how often a subject is named once the labels are shuffled, for classes of
several sizes. A manifest can stand for a folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

CLASSES, EACH = (2, 5, 20), (3, 6, 10, 20, 50)


def read(folder: Path) -> tuple[Any, np.ndarray, np.ndarray]:
    """File facts, labels and groups (identical files, known patients) of the images below a folder."""
    import pandas as pd

    from leukobench.images.facts import file_facts
    from leukobench.images.index import index_images

    index = index_images(folder)
    facts = pd.DataFrame([file_facts(Path(path).read_bytes()) for path in index.images["path"]])
    facts["taken"] = pd.to_datetime(facts["taken"].where(facts["taken"] != 0), unit="D", errors="coerce")
    return facts, index.images["label"].to_numpy(str), index.group


def accuracies(facts: Any, labels: np.ndarray, groups: np.ndarray) -> Iterator[str]:
    """The best pair of classes of each subject, whether it is named or not."""
    from leukobench.audit import predictions

    bounds = predictions.LEAST_ACCURACY, predictions.SURE
    try:
        predictions.LEAST_ACCURACY, predictions.SURE = 0.5, 1.0
        loose = predictions.predictions(facts, labels, groups)
    finally:
        predictions.LEAST_ACCURACY, predictions.SURE = bounds
    named = {one.subject for one in predictions.predictions(facts, labels, groups)}
    for one in loose:
        pair, (accuracy, fact) = next(iter(one.accuracies.items()))
        word = "yes" if one.subject in named else ""
        yield f"{one.subject} | {fact} | {' against '.join(pair)} | {accuracy:.0%} | {word}"


def by_chance(facts: Any, repeats: int, seed: int) -> Iterator[str]:
    """How often shuffled labels are said to be predicted."""
    from leukobench.audit.predictions import predictions

    rng = np.random.default_rng(seed)
    for classes in CLASSES:
        for each in EACH:
            if classes * each > len(facts):
                continue
            labels = np.repeat([f"class {k:02d}" for k in range(classes)], each)
            named = 0
            for _ in range(repeats):
                rows = rng.permutation(len(facts))[: len(labels)]
                named += bool(predictions(facts.iloc[rows].reset_index(drop=True), labels))
            yield f"{classes} | {each} | {named} of {repeats}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    sets = {folder: read(folder) for folder in arguments.folders}
    print("| data | subject | fact | classes | balanced accuracy | named |\n|---|---|---|---|---|---|")
    for folder, (facts, labels, groups) in sets.items():
        for row in accuracies(facts, labels, groups):
            print(f"| {folder.name} | {row} |")
    print("\n| data | classes | images a class | named by chance |\n|---|---|---|---|")
    for folder, (facts, _, _) in sets.items():
        for row in by_chance(facts, arguments.repeats, arguments.seed):
            print(f"| {folder.name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
