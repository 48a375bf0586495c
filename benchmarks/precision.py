"""The effect of bfloat16, averaging over orientations and decoding at reduced scale on features and accuracy."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from machine import alone

WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"precision": "bfloat16"},
    "float32, 8 orientations": {"orientations": 8},
    "bfloat16, 8 orientations": {"precision": "bfloat16", "orientations": 8},
}
POOLINGS = ("average", "multilevel")
CLASSIFIERS = ("svm_linear", "svm_rbf", "logistic_regression", "lda", "knn")


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    """The bundled network: every way on the folds of a default run without selection; then large JPEG files."""
    return [*alone(_ways, images), *alone(_large_files, images)]


def _ways(images: Path) -> list[dict[str, Any]]:
    import pandas as pd

    from leukobench.config.experiment_file import for_folder
    from leukobench.features.cache import FeatureCache
    from leukobench.features.extractors import make_extractor
    from leukobench.pipeline import run

    results, exact = [], np.empty(0)
    extractors = [{"efficientnet_lite0": {"pooling": pooling, **way}} for pooling in POOLINGS for way in WAYS.values()]
    with tempfile.TemporaryDirectory() as temporary:
        settings = {
            "extractors": extractors,
            "selectors": ["none"],
            "classifiers": list(CLASSIFIERS),
            "results": temporary,
        }
        experiment = for_folder(images, **settings)
        outcome = run(experiment)
        scores = outcome.leaderboard.set_index(["extractor", "classifier"])["balanced_accuracy"]
        ids = pd.read_parquet(outcome.folder / "images.parquet")["image_id"].tolist()
        for place, choice in enumerate(experiment.extractors):
            cache = FeatureCache.shared(make_extractor(choice.name, choice.parameters).identity)
            cache.fill(ids, Path(temporary) / "x.npy")
            vectors = np.load(Path(temporary) / "x.npy")
            if place % len(WAYS) == 0:
                exact = vectors
            reached = {name: float(scores[choice.label, name]) for name in CLASSIFIERS}
            results.append(_row(list(WAYS)[place % len(WAYS)], choice.parameters["pooling"], exact, vectors, reached))
    return results


def _large_files(images: Path) -> list[dict[str, Any]]:
    """Mosaics of real images, 2,240 x 1,792 pixels, decoded at full and at half size."""
    from leukobench.features.extractors import make_extractor

    rng, paths = np.random.default_rng(0), sorted(images.rglob("*.jpg"))
    files = [_mosaic([paths[place] for place in rng.choice(len(paths), 80)]) for _ in range(40)]
    results = []
    for pooling in POOLINGS:
        extractor = make_extractor("efficientnet_lite0", {"pooling": pooling})
        with extractor.open(1) as engine:
            reduced = np.stack(list(engine.vectors(map(extractor.read, files))))
            exact = np.stack(list(engine.vectors(_whole(extractor, data) for data in files)))
        results.append(_row("float32, JPEG at half its size", pooling, exact, reduced, {}))
    return results


def _whole(extractor: Any, data: bytes) -> np.ndarray:
    from leukobench.images.reading import decode, resize

    return resize(decode(data), extractor.network.input_size, extractor.network.interpolation)


def _mosaic(paths: list[Path]) -> bytes:
    from PIL import Image

    mosaic, written = Image.new("RGB", (2240, 1792)), io.BytesIO()
    for place, path in enumerate(paths):
        with Image.open(path) as part:
            mosaic.paste(part.resize((224, 224)), (place % 10 * 224, place // 10 * 224))
    mosaic.save(written, "JPEG", quality=92)
    return written.getvalue()


def _row(way: str, pooling: str, exact: np.ndarray, vectors: np.ndarray, scores: dict[str, float]) -> dict[str, Any]:
    """Distance of the vectors from the exact ones, relative to their length: the median and the largest."""
    away = np.linalg.norm(vectors - exact, axis=1) / np.linalg.norm(exact, axis=1)
    moved = {"moved by, median": float(np.median(away)), "moved by, most": float(away.max())}
    reached = {f"{name}, balanced accuracy": scores.get(name, "") for name in CLASSIFIERS}
    return {"vectors": way, "pooling": pooling, **moved, **reached}
