"""Images per second, from files to vectors, beside what a user of Keras would write.

Ratios are medians of turns, with the lowest and the highest; the machine's matrix rate is measured in each turn, too.
Outside of products: the share of the computing time in which maps are only joined, scaled and moved, so that even an
engine at the matrix rate leaves that part of it unused.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matrix_rate import gflop, matrix_rate

from leukobench.machine import cores
from machine import alone, in_turns

NETWORKS = {
    "mobilenetv2": ("MobileNetV2", 1628, {"float32": 2.4, "bfloat16": 4.0}),
    "densenet121": ("DenseNet121", 512, {"float32": 1.8, "bfloat16": 3.5}),
    "inceptionv3": ("InceptionV3", 160, {"float32": 1.8, "bfloat16": 3.5}),
    "resnet101": ("ResNet101", 160, {"float32": 1.2, "bfloat16": 2.3}),
    "vgg19": ("VGG19", 80, {"float32": 1.0, "bfloat16": 2.0}),
}
"""Class in keras.applications, number of images to time it on, and the target ratios."""
_PROFILES = 5


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    results = []
    for name, (keras_name, count, wanted) in NETWORKS.items():
        with some(images, count) as folder:
            ways = {precision: partial(alone, engine_seconds, folder, name, precision) for precision in wanted}
            rates = {f"matrix {precision}": partial(alone, matrix_rate, precision) for precision in wanted}
            measured = in_turns({**ways, **rates, "Keras": partial(alone, keras_seconds, folder, keras_name)}, repeats)
            work = alone(gflop_of, keras_name)
        theirs = measured["Keras"]
        for precision, target in wanted.items():
            ours, ceiling = measured[precision], measured[f"matrix {precision}"]
            speed, ratios = count / statistics.median(ours), [b / a for a, b in zip(ours, theirs, strict=True)]
            results.append(
                {
                    "network": name,
                    "precision": precision,
                    "leukobench, images/s": speed,
                    "Keras float32, images/s": count / statistics.median(theirs),
                    "ratio": statistics.median(ratios),
                    "lowest": min(ratios),
                    "highest": max(ratios),
                    "wanted": target,
                    "GFLOP an image": work,
                    "GFLOP/s": speed * work,
                    "matrix rate": statistics.median(ceiling),
                    "share": statistics.median(
                        count / own * work / rate for own, rate in zip(ours, ceiling, strict=True)
                    ),
                    "outside of products": alone(outside_of_products, name, precision),
                }
            )
            print(results[-1], flush=True)
    return results


@contextlib.contextmanager
def some(images: Path, count: int) -> Iterator[Path]:
    """Make a folder with links to `count` of the images, in the folders of their classes."""
    paths = sorted(path for path in images.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    with tempfile.TemporaryDirectory() as temporary:
        for path in paths[:: max(1, len(paths) // count)][:count]:
            link = Path(temporary) / path.parent.name / path.name
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(path.resolve())
        yield Path(temporary)


def engine_seconds(folder: Path, network: str, precision: str) -> float:
    """From files to vectors in the cache; the network and the libraries are loaded before."""
    with open_cached(folder, network, {"weights": "random", "precision": precision}) as extract:
        start = time.perf_counter()
        extract()
        return time.perf_counter() - start


@contextlib.contextmanager
def open_cached(folder: Path, name: str, parameters: dict[str, Any]) -> Iterator[Callable[[], None]]:
    """What computes the vectors of all files of a folder into a new cache, its network and the libraries loaded."""
    import pyarrow.parquet  # noqa: F401

    from leukobench.features.cache import FeatureCache
    from leukobench.features.extraction import compute
    from leukobench.features.extractors import make_extractor

    extractor = make_extractor(name, parameters)
    paths = sorted(folder.rglob("*.*"))
    files = [(hashlib.sha256(path.read_bytes()).hexdigest(), str(path)) for path in paths]
    with extractor.open(cores()) as engine:
        list(engine.vectors([extractor.read(paths[0].read_bytes())] * 2 * cores()))
        ready = _Ready(extractor, engine)

        def extract() -> None:
            with tempfile.TemporaryDirectory() as cache:
                compute(files, ready, [FeatureCache(Path(cache), extractor.identity)], cores(), {})

        yield extract


class _Ready:
    """An extractor with its engine already open."""

    def __init__(self, extractor: Any, engine: Any) -> None:
        self.read, self._engine = extractor.read, engine

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[Any]:
        yield self._engine


def outside_of_products(network: str, precision: str) -> float:
    """Share of the computing time in which nothing is multiplied: joining, scaling and moving maps in memory."""
    import openvino

    from leukobench.features.extractors import make_extractor
    from leukobench.features.openvino_engine import converted_network

    extractor: Any = make_extractor(network, {"weights": "random"})
    files = converted_network(extractor.network, extractor.weights, ["average"])
    core = openvino.Core()
    model = core.read_model(str(files.path))
    model.reshape([1, *extractor.network.input_size, 3])
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    settings = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": 1, "PERF_COUNT": True}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    pixels = np.random.default_rng(0).uniform(0, 255, (1, *extractor.network.input_size, 3)).astype(np.float32)
    shares = []
    for _ in range(_PROFILES):
        request.infer(pixels)
        seconds = {True: 0.0, False: 0.0}
        for step in request.profiling_info:
            multiplies = step.node_type in ("Convolution", "MatMul", "FullyConnected", "GroupConvolution")
            seconds[multiplies] += step.real_time.total_seconds()
        shares.append(seconds[False] / sum(seconds.values()))
    return statistics.median(shares)


def keras_seconds(folder: Path, name: str) -> float:
    """The same with `image_dataset_from_directory` and `Model.predict`; the network is built and traced before."""
    import keras

    model = _keras_model(name)
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=model.input_shape[1:3], batch_size=32, shuffle=False, verbose=False
    )
    model.predict(images.take(1), verbose=0)
    start = time.perf_counter()
    model.predict(images, verbose=0)
    return time.perf_counter() - start


def gflop_of(name: str) -> float:
    """Work of one image, in 10^9 operations."""
    return gflop(_keras_model(name))


def _keras_model(name: str) -> Any:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    side = 299 if name == "InceptionV3" else 224
    shape = (side, side, 3)
    return getattr(keras.applications, name)(weights=None, include_top=False, pooling="avg", input_shape=shape)
