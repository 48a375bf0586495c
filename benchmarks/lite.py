"""EfficientNet-Lite0, 1 and 2 on several data sets: ``python benchmarks/lite.py SET=FOLDER[::GROUP[::EXCLUDED]] ...``.

GROUP finds the patient in a path; EXCLUDED is a class to leave out.
Each with both poolings, no selector and the same classifiers, in one run a set, so that folds are the same. Published
is the balanced accuracy of the classifier that is best on average over sets and extractors, its difference from Lite0
with the same pooling (paired, 95 % interval over groups), and images per second from files to vectors, timed in turns.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from extraction import engine_seconds, some

from leukobench.config.sources import experiment_of
from leukobench.pipeline import run
from leukobench.runs.finished import FinishedRun
from machine import alone, in_turns, machine, table

TARGET = Path(__file__).parent.parent / "results" / "reference" / "lite"
NETWORKS = tuple(f"efficientnet_lite{number}" for number in range(3))
CLASSIFIERS = ("logistic_regression", "svm_rbf", "lda")
_TIMED, _RESAMPLES, _SEED = 300, 2000, 7


def run_of(name: str, folder: str, results: Path) -> FinishedRun:
    """A run on one set."""
    path, group, excluded = [*folder.split("::"), "", ""][:3]
    extractors = [{network: {"pooling": pooling}} for pooling in ("average", "multilevel") for network in NETWORKS]
    return run(
        experiment_of(
            path,
            name=name,
            results=results,
            images={"group": group or None, "exclude_classes": [excluded] if excluded else []},
            extractors=extractors,
            selectors=["none"],
            classifiers=list(CLASSIFIERS),
            evaluation={"views": "off", "controls": "off"},
        )
    ).results


def recalls(finished: FinishedRun, extractor: str, classifier: str) -> tuple[np.ndarray, np.ndarray]:
    """Hits and images, each of shape (groups, classes)."""
    rows = finished.predictions_of((extractor, "none", classifier)).sort_values("row")
    images = finished.images.set_index("row").loc[rows["row"]]
    groups, codes = np.unique(images["group"], return_inverse=True)
    classes, labels = np.unique(images["label"], return_inverse=True)
    right = (rows["predicted"].to_numpy() == images["label"].to_numpy()).astype(float)
    shape = len(groups), len(classes)
    hits, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(hits, (codes, labels), right)
    np.add.at(counts, (codes, labels), 1.0)
    return hits, counts


def balanced(hits: np.ndarray, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Balanced accuracy (%) of each row of weights of the groups."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.nanmean((weights @ hits) / (weights @ counts), axis=1)


def difference(finished: FinishedRun, extractor: str, base: str, classifier: str) -> tuple[float, float, float]:
    """Points that one extractor is above another, with its interval over resampled groups."""
    (hits, counts), (others, _) = recalls(finished, extractor, classifier), recalls(finished, base, classifier)
    groups = len(hits)
    weights = np.random.default_rng(_SEED).multinomial(groups, [1 / groups] * groups, _RESAMPLES)
    drawn = balanced(hits, counts, weights) - balanced(others, counts, weights)
    each_once = np.ones((1, groups))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float((balanced(hits, counts, each_once) - balanced(others, counts, each_once))[0]), float(low), float(high)


def rows_of(finished: FinishedRun, classifier: str) -> list[dict[str, Any]]:
    rows = []
    for pooling in ("average", "multilevel"):
        for network in NETWORKS:
            label = f"{network}(pooling={pooling})"
            board = finished.leaderboard.set_index(["extractor", "selector", "classifier"])
            own = board.loc[(label, "none", classifier)]
            points, low, high = difference(finished, label, f"{NETWORKS[0]}(pooling={pooling})", classifier)
            rows.append(
                {
                    "set": finished.name,
                    "extractor": network,
                    "pooling": pooling,
                    "classifier": classifier,
                    **{
                        name: round(100 * float(own[f"balanced_accuracy{end}"]), 2)
                        for name, end in (("balanced accuracy", ""), ("low", "_low"), ("high", "_high"))
                    },
                    "above Lite0": round(points, 2),
                    "above Lite0, low": round(low, 2),
                    "above Lite0, high": round(high, 2),
                }
            )
    return rows


def speeds(images: Path, repeats: int) -> list[dict[str, Any]]:
    """Images per second of each network, in turns."""
    with some(images, _TIMED) as folder:
        count = sum(1 for path in folder.rglob("*.*"))
        ways = {network: partial(alone, engine_seconds, folder, network, "float32") for network in NETWORKS}
        seconds = in_turns(ways, repeats)
    first = seconds[NETWORKS[0]]
    return [
        {
            "extractor": network,
            "images per second": round(count / statistics.median(own), 1),
            "cost, Lite0 = 1": round(statistics.median(b / a for a, b in zip(first, own, strict=True)), 2),
        }
        for network, own in seconds.items()
    ]


def conclusion(rows: list[dict[str, str]], timed: list[dict[str, str]]) -> list[str]:
    """How often a larger network differs from Lite0 beyond its interval, and what it costs."""
    lines = []
    for network in NETWORKS[1:]:
        own = [row for row in rows if row["extractor"] == network]
        above, below = (
            sum(sign * float(row[f"above Lite0, {end}"]) > 0 for row in own) for sign, end in ((1, "low"), (-1, "high"))
        )
        cost = next(row["cost, Lite0 = 1"] for row in timed if row["extractor"] == network)
        lines.append(
            f"- {network} takes {cost} times as long an image as Lite0; beyond its interval it is better in {above} "
            f"and worse in {below} of {len(own)} cases (set x pooling)."
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", help="NAME=FOLDER, NAME=FOLDER::GROUP or NAME=FOLDER::GROUP::EXCLUDED")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--speed-only", action="store_true", help="keep the published scores")
    arguments = parser.parse_args()
    sets = dict(one.split("=", 1) for one in arguments.sets)
    if not arguments.speed_only:
        _write("lite", score(sets))
    folders = [Path(folder.partition("::")[0]) for folder in sets.values()]
    _write("speed", speeds(max((folder for folder in folders if folder.is_dir()), key=_size), arguments.repeats))
    rows, timed = _read("lite"), _read("speed")
    lines = ["# EfficientNet-Lite0, 1 and 2", __doc__ or "", *conclusion(rows, timed), "", *table(rows), ""]
    (TARGET / "README.md").write_text("\n".join([*lines, *table(timed), "", f"{machine()}.", ""]))


def score(sets: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of all sets, with the classifier that is best on average."""
    with tempfile.TemporaryDirectory() as results:
        runs = [run_of(name, folder, Path(results)) for name, folder in sets.items()]
        boards = pd.concat([one.leaderboard.query("kind == 'combination'") for one in runs])
        classifier = str(boards.groupby("classifier")["balanced_accuracy"].mean().idxmax())
        return [row for finished in runs for row in rows_of(finished, classifier)]


def _size(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.*"))


def _write(name: str, rows: list[dict[str, Any]]) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with (TARGET / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _read(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((TARGET / f"{name}.csv").open(newline="")))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
