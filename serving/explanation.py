"""Explanations: what moved the decision for one image, which training images are near, what shortcuts would say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError, ConfigurationError
from ..evaluation.refit import Refitted
from ..features.simple_measurements import SimpleMeasurements, columns
from .activation import FeatureMaps, activation
from .container import arrays
from .decision_margin import Margin
from .estimators import from_bytes
from .occlusion import occlusion
from .overlay import overlay
from .prediction import Prediction, Upload

if TYPE_CHECKING:
    from .bundle import Bundle
    from .container import Contents
    from .served_network import ServedNetwork

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
        As `leukobench.serving.reference.Reference` takes it.
    picture : bytes or None
        A small JPEG, where the bundle holds pictures.
    """

    image_id: str
    label: str
    distance: float
    picture: bytes | None


@dataclass(frozen=True)
class Shortcut:
    """What a classifier that sees no cell says: file facts, mean colours or the image's border alone.

    Attributes
    ----------
    name, label : str
    probability : float
        That it gives its label.
    agrees : bool
        It says the same as the bundle, so that the image may be easy for a wrong reason.
    """

    name: str
    label: str
    probability: float
    agrees: bool


@dataclass(frozen=True)
class Explanation:
    """What moved the decision for one image.

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

    def overlay(self) -> bytes:
        """PNG: the image in grey, with what speaks for the label in orange and what speaks against it in blue."""
        return overlay(self.pixels, self.heat, _SLIGHT * abs(self.margin))

    def to_json(self) -> dict[str, Any]:
        """JSON-like: what the prediction says, and all of this but pictures and heat."""
        said = {name: getattr(self, name) for name in ("method", "against", "unit", "margin")}
        near = [{"image_id": one.image_id, "label": one.label, "distance": one.distance} for one in self.neighbours]
        return self.prediction.to_json() | said | {"neighbours": near, "shortcuts": list(map(asdict, self.shortcuts))}


class Explainer:
    """Explains a bundle's answers; several threads may ask at once.

    Parameters
    ----------
    bundle : Bundle
    network : ServedNetwork
    margin : Margin
    contents : Contents
    threads : int
    """

    def __init__(
        self, bundle: Bundle, network: ServedNetwork, margin: Margin, contents: Contents, threads: int
    ) -> None:
        self._bundle, self._network, self._margin = bundle, network, margin
        self._contents, self._threads = contents, threads

    def explain(self, image: Upload, level: float, method: str) -> Explanation:
        """See `leukobench.serving.bundle.Bundle.explain`."""
        if method not in METHODS:
            raise ConfigurationError("There is no such method.", expected=", ".join(METHODS), received=repr(method))
        _, pixels = self._bundle.read(image)
        prediction = self._bundle.predict([image], level=level)[0]
        vector = next(self._bundle.vectors(iter([pixels])))
        return Explanation(
            prediction=prediction,
            pixels=pixels,
            neighbours=self._neighbours(vector, prediction.image_id),
            shortcuts=self._says_without_cells(image.data, str(prediction.label)),
            unit=self._margin.unit,
            **self._heat(pixels, vector, prediction, method),
        )

    def _heat(
        self, pixels: NDArray[np.uint8], vector: NDArray[np.float32], prediction: Prediction, method: str
    ) -> dict[str, Any]:
        classes = self._bundle.classes
        label = classes.index(str(prediction.label))
        other = self._margin.closest(vector, label)
        against = classes[other]
        linear = self._linear(label, other) if method != "occlusion" else None
        if method == "cam" and linear is None:
            raise ConfigurationError(
                "There is no class activation map of this bundle.",
                expected="features averaged over the last maps, and a linear classifier on them",
                received=self._bundle.title,
                fix="ask for occlusion, which any classifier can be explained by.",
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
        return self._margin.of(np.stack(list(self._bundle.vectors(pictures))), label)

    def _linear(self, label: int, against: int) -> tuple[NDArray[np.float64], float] | None:
        if not FeatureMaps.has(self._network):
            return None
        return self._margin.linear(len(self._network.files.feature_names), label, against)

    def _neighbours(self, vector: NDArray[np.float32], image_id: str) -> list[Neighbour]:
        """The image itself is left out where it was trained on, but not a second one with the same bytes."""
        known = self._bundle.reference
        rows, distances = known.nearest(vector, _NEIGHBOURS + 1)
        itself = np.flatnonzero(known.image_ids[rows] == image_id)[:1]
        kept = np.delete(np.arange(len(rows)), itself)[:_NEIGHBOURS]
        return [
            Neighbour(
                str(known.image_ids[row]), self._bundle.classes[known.labels[row]], float(apart), self._picture(row)
            )
            for row, apart in zip(rows[kept], distances[kept], strict=True)
        ]

    def _picture(self, row: int) -> bytes | None:
        if self._pictures is None:
            return None
        data, ends = self._pictures
        return data[ends[row - 1] if row else 0 : ends[row]].tobytes()

    def _says_without_cells(self, data: bytes, label: str) -> list[Shortcut]:
        measurements = SimpleMeasurements()
        seen = measurements.read(data)
        found = []
        for name, (prefix, names, fitted) in self._shortcuts.items():
            own = columns(measurements.feature_names, prefix)
            if [measurements.feature_names[column] for column in own] != names:
                raise BundleError(
                    f"This version of leukobench reads other {name} of an image than the bundle's shortcut learned.",
                    fix="make the bundle again with `leukobench fit`, or install the version that made it.",
                )
            chances = fitted.probabilities(seen[None, own], len(self._bundle.classes))[0]
            said = self._bundle.classes[int(chances.argmax())]
            found.append(Shortcut(name, said, float(chances.max()), said == label))
        return found

    @cached_property
    def _maps(self) -> FeatureMaps:
        return FeatureMaps(self._network, self._threads)

    @cached_property
    def _shortcuts(self) -> Mapping[str, tuple[str, list[str], Refitted]]:
        return {
            name: (said["prefix"], list(said["names"]), self._fitted(name))
            for name, said in self._bundle.facts["shortcuts"].items()
        }

    def _fitted(self, name: str) -> Refitted:
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
