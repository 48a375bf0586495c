"""What a GPU gives: ``python benchmarks/gpu.py [--images 512] [--out gpu.csv]``, with any backend of Keras.

Below 8 minutes on a machine with one. Images per second of five networks, from files and from memory, in float32 and
bfloat16, beside a plain loop of the framework (float32, batches of 64 in memory), in turns; how far vectors are from
the processor's; whether bfloat16 moves a score; and XGBoost on it. Weights are random, images are drawn: nothing is
fetched. Where Keras finds no GPU it says so in every row, and the figures are of the processor.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

NETWORKS = ("mobilenetv2", "densenet121", "inceptionv3", "resnet101", "vgg19")
PRECISIONS = ("float32", "bfloat16")
_BATCH, _COMPARED, _ROUNDS = 64, 16, 3
_LIMITS = {"float32": 1e-4, "bfloat16": 5e-2}
_POINTS = 0.3


def drawn(folder: Path, images: int) -> list[Path]:
    """JPEG files of drawn smears, 512 x 512 pixels."""
    from leukobench.images.synthetic import draw_smears

    draw_smears(folder, images=images, patients=max(8, images // 10), seed=0, size=512)
    return sorted(path for path in folder.rglob("*") if path.suffix == ".jpg")


def extraction(files: list[Path], network: str) -> list[dict[str, Any]]:
    """Speeds and vectors of one network."""
    from leukobench.features.engines import open_engine
    from leukobench.features.extraction import read_ahead
    from leukobench.features.network_extractor import NetworkExtractor
    from leukobench.machine import cores

    extractors = {name: NetworkExtractor(network, "random", precision=name, engine="keras") for name in PRECISIONS}
    extractor = extractors["float32"]
    pixels = [extractor.read(path.read_bytes()) for path in files[: 2 * _BATCH]]
    exact = on_processor(extractor, pixels[:_COMPARED])
    rows = []
    for precision, own in extractors.items():
        with open_engine(own.network, own.weights, ("average",), precision, "keras") as engine:

            def from_memory(engine: Any = engine) -> int:
                many = itertools.islice(itertools.cycle(pixels), len(files))
                return sum(1 for _ in engine.vectors(many))

            def from_files(engine: Any = engine, own: Any = own) -> int:
                read = read_ahead(files, lambda path: own.read(path.read_bytes()), cores())
                return sum(1 for _ in engine.vectors(image for _, image in read))

            vectors = np.stack(list(engine.vectors(iter(pixels[:_COMPARED]))))
            speeds = in_turns(
                {"files": from_files, "memory": from_memory, "plain loop": plain_loop(own, pixels, len(files))}
            )
            distance = float(np.max(np.linalg.norm(vectors - exact, axis=1) / np.linalg.norm(exact, axis=1)))
            rows.append(
                {
                    "what": network,
                    "precision": precision,
                    "engine": engine.name,
                    **{f"{name}, images/s": round(statistics.median(one), 1) for name, one in speeds.items()},
                    "distance from the processor's vectors": f"{distance:.1e}",
                    "within": distance <= _LIMITS[precision],
                }
            )
            print(rows[-1], flush=True)
    return rows


def on_processor(extractor: Any, pixels: list[np.ndarray]) -> np.ndarray:
    """Vectors that the same backend computes without the GPU, in float32."""
    import keras

    from leukobench.features.keras_engine import build_pooled

    with keras.device("cpu:0"):
        model, _ = build_pooled(extractor.network, extractor.weights, ["average"], "float32")
        return np.concatenate([np.asarray(model.predict_on_batch(np.stack([one])), np.float32) for one in pixels])


def plain_loop(extractor: Any, pixels: list[np.ndarray], count: int) -> Callable[[], int]:
    """Batches in memory through the float32 network, as anybody would write it."""
    from leukobench.features.keras_engine import build_pooled

    model, _ = build_pooled(extractor.network, extractor.weights, ["average"], "float32")
    batch = np.stack((pixels * _BATCH)[:_BATCH])

    def loop() -> int:
        for _ in range(-(-count // _BATCH)):
            np.asarray(model.predict_on_batch(batch))
        return -(-count // _BATCH) * _BATCH

    return loop


def in_turns(ways: dict[str, Callable[[], int]]) -> dict[str, list[float]]:
    """Images per second of each, warmed up once, then in turns."""
    for way in ways.values():
        way()
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            images = way()
            speeds[name].append(images / (time.perf_counter() - start))
    return speeds


def scores(files: list[Path]) -> Iterator[dict[str, Any]]:
    """Balanced accuracy with features in both precisions, on the same folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from leukobench.features.engines import open_engine
    from leukobench.features.network_extractor import NetworkExtractor

    labels = np.array([path.parent.name for path in files])
    patients = np.array([path.stem.partition("_")[0] for path in files])
    reached = {}
    for precision in PRECISIONS:
        # Not a network of the table: the bundled one has real weights, whose features tell the classes.
        own = NetworkExtractor("efficientnet_lite0", precision=precision, engine="keras")
        with open_engine(own.network, own.weights, ("average",), precision, "keras") as engine:
            with ThreadPoolExecutor() as pool:
                pixels = list(pool.map(own.read, (path.read_bytes() for path in files)))
            vectors = np.stack(list(engine.vectors(iter(pixels))))
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        predicted = cross_val_predict(model, vectors, labels, groups=patients, cv=GroupKFold(5))
        reached[precision] = 100 * float(
            np.mean([(predicted[labels == name] == name).mean() for name in np.unique(labels)])
        )
        moved = float(abs(reached[precision] - reached["float32"]))
        yield {
            "what": "efficientnet_lite0 x logistic regression",
            "precision": precision,
            "balanced accuracy": round(reached[precision], 2),
            "points moved": round(moved, 2),
            "within": moved <= _POINTS,
        }


def boosting(rows: int = 10_000, features: int = 1_280) -> Iterator[dict[str, Any]]:
    """XGBoost on both devices: seconds of a fit, and how alike the probabilities are."""
    import xgboost

    from leukobench.machine import has_gpu

    rng = np.random.default_rng(0)
    table = rng.normal(size=(rows, features)).astype(np.float32)
    labels = (table[:, :8].sum(axis=1) + rng.normal(size=rows) > 0).astype(int)
    first = None
    for device in ("cpu", "cuda"):
        if device == "cuda" and not has_gpu():
            yield {"what": "xgboost", "engine": device, "failed": "no GPU on this machine"}
            continue
        model = xgboost.XGBClassifier(n_estimators=50, max_depth=4, tree_method="hist", device=device)
        start = time.perf_counter()
        try:
            model.fit(table, labels)
        except xgboost.core.XGBoostError as error:
            yield {"what": "xgboost", "engine": device, "failed": str(error).splitlines()[0]}
            continue
        probabilities = model.predict_proba(table)[:, 1]
        first = probabilities if first is None else first
        yield {
            "what": "xgboost",
            "engine": device,
            "seconds": round(time.perf_counter() - start, 2),
            "same class as on the processor": round(float(np.mean((probabilities > 0.5) == (first > 0.5))), 4),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = drawn(Path(folder) / "images", arguments.images)
        rows = [row for network in arguments.networks for row in extraction(files, network)]
        for row in itertools.chain(scores(files), boosting()):
            rows.append(row)
            print(row, flush=True)
    if arguments.out:
        names = list(dict.fromkeys(name for row in rows for name in row))
        with arguments.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    sys.exit(int(any(row.get("within") is False for row in rows)))


if __name__ == "__main__":
    main()
