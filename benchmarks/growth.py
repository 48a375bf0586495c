"""Time and peak memory (mapped files apart) from 1,000 to 100,000 images, each measured in a process of its own."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leukobench.machine import cores
from machine import alone

SIZES = (1_000, 10_000, 100_000)
WIDTH = 1280


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    results = []
    for work in (extraction, cache, audit, scoring):
        for size in SIZES:
            seconds, peak = alone(measure, work, images, size)
            results.append({"work": work.__name__, "images": size, "s": seconds, "ms an image": 1000 * seconds / size})
            results[-1]["peak, MB"] = peak
            print(results[-1], flush=True)
    return results


def measure(work: Callable[[Path, int, Path], float], images: Path, size: int) -> tuple[float, float]:
    from leukobench.runs.costs import Costs, watch_memory

    costs = Costs()
    with tempfile.TemporaryDirectory() as folder, watch_memory(costs):
        seconds = work(images, size, Path(folder))
    return seconds, costs.memory / 1e6


def extraction(images: Path, size: int, folder: Path) -> float:
    """Files to cached vectors with the bundled network."""
    from leukobench.features.cache import FeatureCache
    from leukobench.features.extraction import extract_to
    from leukobench.features.extractors import make_extractor

    files = many(images, size, folder)
    extractor = make_extractor("efficientnet_lite0", {})
    with extractor.open(cores()):
        pass  # the first time converts the network
    start = time.perf_counter()
    extract_to(folder / "x.npy", extractor, files, FeatureCache(folder / "cache", extractor.identity), cores())
    return time.perf_counter() - start


def many(images: Path, size: int, folder: Path) -> list[tuple[str, str]]:
    """Id and path of `size` files: 500 real images, each file made unique by bytes at its end."""
    contents = [path.read_bytes() for path in sorted(images.rglob("*.jpg"))[:500]]
    files = []
    for number in range(size):
        data = contents[number % len(contents)] + b"%d" % number
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        files.append((hashlib.sha256(data).hexdigest(), str(path)))
    return files


def cache(images: Path, size: int, folder: Path) -> float:
    """Vectors into the cache, and from there into one matrix."""
    from leukobench.features.cache import FeatureCache

    rng, store = np.random.default_rng(0), FeatureCache(folder, {"name": "growth"})
    names = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(size)]
    columns = [f"f_{column}" for column in range(WIDTH)]
    seconds = 0.0
    for begin in range(0, size, 2000):
        part = names[begin : begin + 2000]
        vectors = rng.normal(size=(len(part), WIDTH)).astype(np.float32)
        start = time.perf_counter()
        store.append(part, vectors, columns)
        seconds += time.perf_counter() - start
    start = time.perf_counter()
    store.fill(names, folder / "x.npy")
    return seconds + time.perf_counter() - start


def audit(images: Path, size: int, folder: Path) -> float:
    """Read and measure every file, then compare fingerprints: blends of real ones, since noise would be easy."""
    from leukobench.audit.candidates import candidate_pairs
    from leukobench.features.cache import FeatureCache
    from leukobench.features.extraction import extract_to
    from leukobench.features.simple_measurements import SimpleMeasurements
    from leukobench.images.fingerprint import CHECKSUMS, pooled
    from leukobench.images.keypoints import find_keypoints, grey_version
    from leukobench.images.reading import read_image

    greys = (grey_version(read_image(str(path))) for path in sorted(images.rglob("*.jpg"))[:1000])
    real = np.stack([pooled(find_keypoints(grey).descriptors) for grey in greys])
    rng = np.random.default_rng(0)
    target = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (size, CHECKSUMS + real.shape[1]))
    target[:, 0] = np.arange(size)
    for begin in range(0, size, 5000):
        count = min(5000, size - begin)
        pairs, share = rng.integers(0, len(real), (count, 2)), rng.uniform(0.2, 0.8, (count, 1))
        noise = 0.01 * rng.normal(size=(count, real.shape[1]))
        mixed = share * real[pairs[:, 0]] + (1 - share) * real[pairs[:, 1]] + noise
        target[begin : begin + count, CHECKSUMS:] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    files, measurements = many(images, size, folder), SimpleMeasurements()
    start = time.perf_counter()
    extract_to(
        folder / "measurements.npy", measurements, files, FeatureCache(folder / "cache", measurements.identity), cores()
    )
    candidate_pairs(target, np.arange(size))
    return time.perf_counter() - start


def scoring(images: Path, size: int, folder: Path) -> float:
    """Ten combinations' out-of-fold probabilities of four classes, scored with 1,000 resamples."""
    from leukobench.evaluation.statistics.analysis import Analysis

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, size)
    folds = rng.integers(0, 5, (1, size))
    start = time.perf_counter()
    analysis = Analysis(labels, tuple("abcd"), np.arange(size) // 4, folds, "balanced_accuracy", 0, 1000)
    for number in range(10):
        raw = rng.normal(size=(size, 4)) + 2 * np.eye(4)[labels]
        chances = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        analysis.add(("x", "none", f"c{number}"), "combination", chances[None])
    analysis.tables()
    return time.perf_counter() - start
