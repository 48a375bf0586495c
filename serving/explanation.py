"""Explanations: what moved the prediction of one image, which training images are near, what shortcuts predict."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError
from ..evaluation.refit import Refitted
from ..features.simple_measurements import SimpleMeasurements
from ..runs.notebook import block
from .class_activation import FeatureMaps, activation
from .container import Contents, arrays
from .estimators import from_bytes
from .image_input import Upload
from .occlusion import occlusion
from .output import percent
from .overlay import full_heat, overlay, with_legend
from .prediction import Prediction
from .predictor import Predictor
from .served_code import ServedCode

METHODS = ("auto", "occlusion", "cam")
OCCLUSION, ACTIVATION = "occlusion", "class activation map"
ANY_OTHER = "any other class"
_NEIGHBOURS = 5
_SLIGHT = 0.05  # part of the margin; what is weaker never has the full colour


@dataclass(frozen=True)
class Neighbour:
    """A training image that is near by features.

    Attributes
    ----------
    image_id, label : str
    distance : float
        As `leukobench.serving.training_reference.TrainingReference` takes it.
    picture : bytes or None
        A small JPEG, where the bundle holds pictures.
    """

    image_id: str
    label: str
    distance: float
    picture: bytes | None


@dataclass(frozen=True)
class Shortcut:
    """The prediction of a classifier that sees nothing of what is pictured.

    Attributes
    ----------
    name, label : str
    probability : float
        Of its label.
    agrees : bool
        Its label is that of the bundle, so that the image may be easy for a wrong reason.
    """

    name: str
    label: str
    probability: float
    agrees: bool


@dataclass(frozen=True)
class Explanation:
    """What moved the prediction of one image.

    Attributes
    ----------
    prediction : Prediction
    method : str
        ``"class activation map"``: `heat` is the margin if all of the image looked as it does there; its mean is the
        margin, exactly. ``"occlusion"``: it is what the margin loses where the image is covered.
    against : str
        The class that the decision is compared with: the runner-up, or for occlusion ``"any other class"``, that is
        whichever comes closest while a part of the image is covered.
    heat : ndarray of float32, shape (h, w)
        Above 0 where the image speaks for the label. Of the network's input size for occlusion, of the size of its
        last maps for class activation.
    pixels : ndarray of uint8, shape (H, W, 3)
        What the network saw.
    neighbours : list of Neighbour
        The nearest first.
    shortcuts : list of Shortcut
    unit : {"log-odds", "decision value"}
        Of `heat` and `margin`; decision values are those of a classifier without probabilities of its own.
    margin : float
        How far the label is ahead.
    """

    prediction: Prediction
    method: str
    against: str
    heat: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    neighbours: list[Neighbour]
    shortcuts: list[Shortcut]
    unit: str = "log-odds"
    margin: float = 0.0

    @property
    def full(self) -> float:
        """Heat that has the full colour in the overlay, in `unit`."""
        return full_heat(self.heat, _SLIGHT * abs(self.margin))

    @property
    def ends(self) -> tuple[str, str]:
        """What the full blue and the full orange of the overlay mean."""
        return f"{self.against}, {self.full:.2g}", f"{self.full:.2g}, {self.prediction.label}"

    @property
    def others_near(self) -> int:
        """How many of `neighbours` have another label than the prediction."""
        return sum(one.label != self.prediction.label for one in self.neighbours)

    def other_neighbours(self) -> str:
        """How many of the nearest training images are of other classes than the prediction, in words."""
        others, count = self.others_near, len(self.neighbours)
        if others in (0, count):
            return f"{'all' if others else 'none'} of the {count} nearest training images are of other classes"
        words = "are of other classes" if others > 1 else "is of another class"
        return f"{others} of the {count} nearest training images {words}"

    def overlay(self) -> bytes:
        """PNG: the image in grey, with what speaks for the label in orange and what speaks against it in blue."""
        return overlay(self.pixels, self.heat, self.full)

    def overlay_with_legend(self) -> bytes:
        """The same with the class, the scale of the colours and what they mean, for a file of its own."""
        row = self.prediction
        heading = f"{row.label} {percent(row.probabilities[str(row.label)])}, against {self.against}"
        if row.ood:
            heading = "Unlike the training data: do not rely on this prediction"
        meaning = f"Orange favours {row.label}, blue {self.against}; {self.unit}, by {self.method}."
        return with_legend(self.overlay(), heading, self.ends, [meaning, f"{self.other_neighbours().capitalize()}."])

    def _repr_html_(self) -> str:
        """The overlay and what it is of, for a notebook."""
        label, near = self.prediction.label, ", ".join(one.label for one in self.neighbours)
        words = [f"{label} against {self.against} ({self.method}); orange speaks for {label}; nearest: {near}"]
        picture = base64.b64encode(self.overlay()).decode("ascii")
        return block(self.prediction.image, words, f'<img alt="overlay" src="data:image/png;base64,{picture}">')

    def to_json(self) -> dict[str, Any]:
        """JSON-like: the prediction, and all of this but pictures and heat."""
        own = {name: getattr(self, name) for name in ("method", "against", "unit", "margin")}
        near = [{"image_id": one.image_id, "label": one.label, "distance": one.distance} for one in self.neighbours]
        return self.prediction.to_json() | own | {"neighbours": near, "shortcuts": list(map(asdict, self.shortcuts))}


class Explainer:
    """Explains a bundle's predictions; several threads may use it at once.

    Parameters
    ----------
    predictor : Predictor
    contents : Contents
    """

    def __init__(self, predictor: Predictor, contents: Contents) -> None:
        self._predictor, self._contents = predictor, contents
        self._model = predictor.model
        self._margin = self._model.margin

    def explain(self, image: Upload, level: float, method: str) -> Explanation:
        """See `leukobench.serving.bundle.Bundle.explain`."""
        if method not in METHODS:
            raise ConfigurationError(
                "There is no such explanation method.", expected=", ".join(METHODS), received=repr(method)
            )
        pixels = self._model.network.read(image.data)
        _, prediction = next(self._predictor.stream([image], level))
        vector = next(self._model.vectors(iter([pixels])))
        return Explanation(
            prediction=prediction,
            pixels=pixels,
            neighbours=self._neighbours(vector, prediction.image_id),
            shortcuts=self._shortcuts_of(image.data, str(prediction.label)),
            unit=self._margin.unit,
            **self._heat(pixels, vector, prediction, method),
        )

    def _heat(
        self, pixels: NDArray[np.uint8], vector: NDArray[np.float32], prediction: Prediction, method: str
    ) -> dict[str, Any]:
        classes = self._model.classes
        label = classes.index(str(prediction.label))
        other = self._margin.closest(vector, label)
        against = classes[other]
        linear = self._linear(label, other) if method != "occlusion" else None
        if method == "cam" and linear is None:
            raise ConfigurationError(
                "This bundle has no class activation map.",
                expected="features averaged over the last maps, and a linear classifier on them",
                received=" x ".join(self._contents.manifest["combination"].values()),
                fix="choose the method occlusion, which works for any classifier.",
            )
        if linear:
            weights, offset = linear
            heat = activation(self._maps.of(pixels), weights, offset)
            margin = float(vector.astype(np.float64) @ weights) + offset
            return {"method": ACTIVATION, "against": against, "heat": heat, "margin": margin}
        heat = occlusion(pixels, lambda pictures: self._margins(pictures, label))
        margin = float(self._margin.of(vector[None], label)[0])
        rival = against if len(classes) == 2 else ANY_OTHER
        return {"method": OCCLUSION, "against": rival, "heat": heat, "margin": margin}

    def _margins(self, pictures: Iterator[NDArray[np.uint8]], label: int) -> NDArray[np.float64]:
        return self._margin.of(np.stack(list(self._model.vectors(pictures))), label)

    def _linear(self, label: int, against: int) -> tuple[NDArray[np.float64], float] | None:
        network = self._model.network
        if isinstance(network, ServedCode) or not FeatureMaps.has(network):
            return None
        return self._margin.linear(len(network.feature_names), label, against)

    def _neighbours(self, vector: NDArray[np.float32], image_id: str) -> list[Neighbour]:
        """The image itself is left out where it was trained on, but not a second one with the same bytes."""
        reference, classes = self._predictor.reference, self._model.classes
        rows, distances = reference.nearest(vector, _NEIGHBOURS + 1)
        itself = np.flatnonzero(reference.image_ids[rows] == image_id)[:1]
        others = np.delete(np.arange(len(rows)), itself)[:_NEIGHBOURS]
        return [
            Neighbour(
                str(reference.image_ids[row]), classes[reference.labels[row]], float(distance), self._picture(row)
            )
            for row, distance in zip(rows[others], distances[others], strict=True)
        ]

    def _picture(self, row: int) -> bytes | None:
        if self._pictures is None:
            return None
        data, ends = self._pictures
        return data[ends[row - 1] if row else 0 : ends[row]].tobytes()

    def _shortcuts_of(self, data: bytes, label: str) -> list[Shortcut]:
        measurements = SimpleMeasurements()
        measured = measurements.read(data).vector
        places = {name: at for at, name in enumerate(measurements.feature_names)}
        shortcuts = []
        for name, (names, fitted) in self._shortcuts.items():
            if not places.keys() >= set(names):  # a bundle of a version that measured this differently
                continue
            own = [places[column] for column in names]
            probabilities = fitted.probabilities(measured[None, own], len(self._model.classes))[0]
            predicted = self._model.classes[int(probabilities.argmax())]
            shortcuts.append(Shortcut(name, predicted, float(probabilities.max()), predicted == label))
        return shortcuts

    @cached_property
    def _maps(self) -> FeatureMaps:
        network = self._model.network
        if isinstance(network, ServedCode):
            raise TypeError("an extractor of somebody's own has no feature maps")
        return FeatureMaps(network, self._model.threads)

    @cached_property
    def _shortcuts(self) -> Mapping[str, tuple[list[str], Refitted]]:
        return {
            name: (list(shortcut["names"]), self._load_shortcut(name))
            for name, shortcut in self._contents.manifest["shortcuts"].items()
        }

    def _load_shortcut(self, name: str) -> Refitted:
        stem = f"shortcut_{name.replace(' ', '_')}"
        selector, classifier = (
            from_bytes(self._contents.file(f"{stem}_{part}.skops"), f"shortcut {name}")
            for part in ("selector", "classifier")
        )
        return Refitted(selector, classifier, {})

    @cached_property
    def _pictures(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
        """All pictures, one after the other, and where each ends."""
        if "pictures.npz" not in self._contents.files:
            return None
        stored = arrays(self._contents.file("pictures.npz"))
        return stored["data"], stored["ends"]
