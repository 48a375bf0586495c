"""Trainings: what networks trained end to end will cost, from two epochs of each on a few made-up images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..evaluation.methods import Method
from ..evaluation.network_runner import fresh_process
from ..images.index import ImageIndex
from ..images.reading import read_resized
from ..steps.write_pixels import input_of

_IMAGES = 96
_EPOCHS = ("epochs", "fine_epochs")
"""Parameters that say how long each phase is."""


@dataclass(frozen=True)
class TrainingCost:
    """What one training of one network costs.

    Attributes
    ----------
    start_s : float
        Building and compiling.
    epoch_s : list of float
        Of each phase: seconds an image and epoch.
    epochs : list of int
        Of each phase, at most.
    predict_s : float
        An image.
    memory : int
        Bytes that its process held.
    """

    start_s: float
    epoch_s: list[float]
    epochs: list[int]
    predict_s: float
    memory: int

    def seconds(self, train: float, test: float) -> float:
        """Seconds of a fold with this number of images, without early stopping; frozen features cost a prediction."""
        passes = sum(seconds * epochs for seconds, epochs in zip(self.epoch_s, self.epochs, strict=True))
        return self.start_s + passes * train + self.predict_s * (train + test)


def training_costs(networks: Sequence[Method], classes: int, workers: int) -> list[TrainingCost | None]:
    """Cost of each network; None for those that fail, or do not record how long their epochs take."""
    costs: list[TrainingCost | None] = []
    for network in networks:
        try:
            with fresh_process() as process:
                costs.append(process.submit(_cost, network.estimator, classes, workers).result())
        except Exception:  # the run itself will report what is wrong with it
            costs.append(None)
    return costs


def reading_seconds(networks: Sequence[Method], index: ImageIndex, workers: int) -> float:
    """Seconds to bring all images to each size that the networks want."""
    files = index.images["path"].iloc[np.linspace(0, len(index) - 1, min(_IMAGES, len(index))).astype(int)]
    total = 0.0
    for size, interpolation in set(map(input_of, networks)):
        start = time.perf_counter()
        for path in files:
            read_resized(path, size, interpolation)
        total += (time.perf_counter() - start) / len(files) * len(index) / workers
    return total


def pixel_bytes(networks: Sequence[Method], images: int) -> int:
    """Bytes of the images at each size that the networks want."""
    return sum(3 * height * width * images for (height, width), _ in set(map(input_of, networks)))


def _cost(estimator: Any, classes: int, workers: int) -> TrainingCost | None:
    import psutil

    lengths = [name for name in _EPOCHS if name in estimator.get_params()]
    short = estimator.set_params(n_jobs=workers) if "n_jobs" in estimator.get_params() else estimator
    full = [int(short.get_params()[name]) for name in lengths]
    short.set_params(**dict.fromkeys(lengths, 2))
    images = np.random.default_rng(0).integers(0, 256, (_IMAGES, *short.input_size, 3), dtype=np.uint8)
    start = time.perf_counter()
    short.fit(images, np.arange(_IMAGES) % classes)
    taken = time.perf_counter() - start
    curve = getattr(short, "curve_", [])
    if not curve or not lengths:
        return None
    second = [epoch for epoch in curve if epoch["epoch"] == 2]
    short.predict_proba(images)
    start = time.perf_counter()
    short.predict_proba(images)
    predict_s = (time.perf_counter() - start) / _IMAGES
    return TrainingCost(
        start_s=max(0.0, taken - sum(epoch["seconds"] for epoch in second)),
        epoch_s=[epoch["seconds"] / epoch["images"] for epoch in second],
        epochs=full[: len(second)],
        predict_s=predict_s,
        memory=psutil.Process().memory_info().rss,
    )
