"""Predictions of images as they are read: classes, prediction sets, and whether they are like the training images."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtractionError, UnreadableImageError
from ..features.extraction import read_ahead
from .conformal import ConformalScores, prediction_sets
from .container import Contents, arrays
from .fitted_model import FittedModel
from .image_input import Image, image_bytes, name_of
from .prediction import Prediction
from .training_reference import TrainingReference

_CHUNK = 256


class Predictor:
    """What a bundle predicts with; several threads may use it at once.

    Parameters
    ----------
    model : FittedModel
    contents : Contents

    Attributes
    ----------
    reference : TrainingReference
    conformal_scores : ConformalScores
    """

    def __init__(self, model: FittedModel, contents: Contents) -> None:
        self.model = model
        self.reference = TrainingReference.from_bytes(contents.file("reference.npz"))
        if self.reference.labels.max() >= len(model.classes):
            raise ValueError("the reference is of other classes")
        stored = arrays(contents.file("calibration.npz"))
        scores, labels, groups = (stored[name] for name in ("scores", "labels", "groups"))
        self.conformal_scores = ConformalScores(scores, labels, groups, len(model.classes))
        self.conformal_scores.check()
        self._trained_on = frozenset(stored["image_ids"].tolist())

    def stream(
        self, images: Sequence[Image], level: float, calibrated: bool = True
    ) -> Iterator[tuple[int, Prediction]]:
        """Position and prediction of each image, as they are ready; images that cannot be read come last.

        Raises
        ------
        ExtractionError
            An extractor of somebody's own gave numbers that are not finite, or not one vector an image.
        """
        queue = _Queue(images, self.model)
        vectors = self.model.vectors(queue.pixels())
        thresholds = self.conformal_scores.thresholds(level)
        while chunk := list(islice(vectors, _CHUNK)):
            if len(chunk) > len(queue.readable):
                raise _wrong("more vectors than there are images")
            places = [queue.readable.popleft() for _ in chunk]
            if not np.isfinite(features := np.stack(chunk)).all():
                raise _wrong("NaN or infinity")
            rows = self._predict(features, thresholds, calibrated)
            for (position, image_id), row in zip(places, rows, strict=True):
                name, trained_on = name_of(images[position]), image_id in self._trained_on
                yield position, Prediction(name, image_id, *row, trained_on=trained_on)
        if queue.readable:  # whose predictions would be missing, and with them their warnings
            raise _wrong("fewer vectors than there are images")
        yield from queue.unreadable

    def _predict(
        self, vectors: NDArray[np.float32], thresholds: NDArray[np.float64], calibrated: bool
    ) -> Iterator[tuple[str, dict[str, float], tuple[str, ...], float, float, bool]]:
        """Label, probabilities, set, distance, its share and whether that is rare, of each vector."""
        classes = self.model.classes
        raw = self.model.probabilities(vectors, calibrated=False)
        own, labels = self.model.calibrate(raw), raw.argmax(axis=1)
        shown, inside = own if calibrated else raw, prediction_sets(own, thresholds)
        inside[np.arange(len(labels)), labels] = True  # where two classes are equally probable
        distances, shares = self.reference.scores(vectors)
        rare = self.reference.rare(shares)
        for row, label in enumerate(labels):
            probabilities = dict(zip(classes, shown[row].tolist(), strict=True))
            members = tuple(name for name, member in zip(classes, inside[row], strict=True) if member)
            yield (
                classes[int(label)],
                probabilities,
                members,
                float(distances[row]),
                float(shares[row]),
                bool(rare[row]),
            )


def _wrong(output: str) -> ExtractionError:
    expected = "one vector of finite numbers for each image, in the order of the images"
    return ExtractionError(f"The extractor gave {output}.", expected=expected)


@dataclass
class _Queue:
    """Images on their way through the network.

    Attributes
    ----------
    readable : deque of (int, str)
        Position and image id of those whose vectors are still to come.
    unreadable : list of (int, Prediction)
    """

    images: Sequence[Image]
    model: FittedModel
    readable: deque[tuple[int, str]] = field(default_factory=deque)
    unreadable: list[tuple[int, Prediction]] = field(default_factory=list)

    def pixels(self) -> Iterator[NDArray[np.uint8]]:
        """Pixels of the readable images, read a few ahead in threads."""
        positions = range(len(self.images))
        for position, image in read_ahead(positions, lambda p: self._read(self.images[p]), self.model.threads):
            if isinstance(image, Prediction):
                self.unreadable.append((position, image))
            else:
                self.readable.append((position, image[0]))
                yield image[1]

    def _read(self, image: Image) -> tuple[str, NDArray[np.uint8]] | Prediction:
        name, image_id = name_of(image), ""
        try:
            data = image_bytes(image)
            image_id = hashlib.sha256(data).hexdigest()
            return image_id, self.model.network.read(data)
        except UnreadableImageError as error:
            return Prediction(name, image_id, error=error.what)
