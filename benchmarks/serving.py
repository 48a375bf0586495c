"""Predictions of a bundle: one image in a new process, one image with the bundle open, a folder, an explanation."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leukobench.machine import cores
from machine import alone, in_turns

_USER = """
import sys, numpy as np, joblib, keras
from PIL import Image
from leukobench.networks import get_network
from leukobench.networks.build import build
from leukobench.networks.weights import locate
from leukobench.features.pooling import add_poolings
network = get_network("efficientnet_lite0")
model = add_poolings(build(network, locate(network)), network, ["multilevel"])
classifier = joblib.load(sys.argv[1])
pixels = np.asarray(Image.open(sys.argv[2]).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))
print(classifier.predict_proba(np.asarray(model.predict_on_batch(pixels[None].astype(np.float32)))))
"""


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        bundle, pickled = alone(_make, str(images), folder)
        files = sorted(str(path) for path in images.rglob("*.jpg"))
        ours = [sys.executable, "-m", "leukobench", "predict", bundle, files[0]]
        theirs = [sys.executable, "-c", _USER, pickled, files[0]]
        ways: dict[str, Callable[[], float]] = {"ours": lambda: _seconds(ours), "theirs": lambda: _seconds(theirs)}
        cold = {name: statistics.median(times) for name, times in in_turns(ways, max(5, repeats)).items()}
        warm = alone(_warm, bundle, files, repeats)
    no_rival = ("", float("nan"))
    results = [
        ("one image, a new process", cold["ours"], "Keras and joblib", cold["theirs"]),
        ("one image, bundle open", warm["one"], *no_rival),
        (f"{len(files):,} images", warm["all"], "extraction alone", warm["extraction"]),
        ("an overlay by occlusion, with examples", warm["explain"], *no_rival),
    ]
    return [dict(zip(("what", "seconds", "beside", "its seconds"), row, strict=True)) for row in results]


def _make(images: str, folder: str) -> tuple[str, str]:
    """A run of one combination, its bundle, and its classifier as a pickle."""
    import joblib
    import numpy as np
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    import leukobench
    from leukobench.config.experiment_file import for_folder

    chosen = {"extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}], "selectors": ["none"]}
    experiment = for_folder(Path(images), name="serving", results=Path(folder), classifiers=["svm_linear"], **chosen)
    bundle = leukobench.fit(leukobench.run(experiment).folder)
    files = sorted(Path(images).rglob("*.jpg"))
    features = leukobench.DeepFeatures("efficientnet_lite0", pooling="multilevel").fit_transform(files)
    labels = np.array([path.parent.name for path in files])
    classifier = CalibratedClassifierCV(SVC(kernel="linear"), ensemble=False).fit(features, labels)
    joblib.dump(classifier, Path(folder) / "classifier.joblib")
    return str(bundle.path), str(Path(folder) / "classifier.joblib")


def _warm(path: str, files: list[str], repeats: int) -> dict[str, float]:
    import leukobench
    from leukobench.features.extraction import read_ahead
    from leukobench.features.extractors import make_extractor

    bundle = leukobench.load(path)
    bundle.predict(files[:3])
    bundle.explain(files[0])
    extractor = make_extractor("efficientnet_lite0", {"pooling": "multilevel"})

    def extraction() -> None:
        with extractor.open(cores()) as engine:
            read = read_ahead(files, lambda file: extractor.read(Path(file).read_bytes()), cores())
            for _ in engine.vectors(pixels for _, pixels in read):
                pass

    singles = iter(files * repeats)
    times_by_task = {
        "one": [_seconds_of(lambda: bundle.predict([next(singles)])) for _ in range(50)],
        "explain": [_seconds_of(lambda: bundle.explain(next(singles))) for _ in range(10)],
    }
    ways = {"all": lambda: _seconds_of(lambda: bundle.predict(files)), "extraction": lambda: _seconds_of(extraction)}
    times_by_task |= in_turns(ways, repeats)
    return {name: statistics.median(times) for name, times in times_by_task.items()}


def _seconds_of(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _seconds(command: list[str]) -> float:
    return _seconds_of(lambda: subprocess.run(command, check=True, capture_output=True))
