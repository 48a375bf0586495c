"""The fitted model of a bundle: network, selector, classifier and temperature, from pixels to probabilities."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError
from ..evaluation.task import over_classes
from .container import Contents, arrays
from .estimators import from_bytes
from .manifest_checks import names_extractor
from .named_code import NamedCode
from .served_code import ServedCode
from .served_network import ServedNetwork, relative_distance
from .temperature import apply_temperature

if TYPE_CHECKING:
    from .decision_margin import Margin

TOLERANCE = 1e-6
_NETWORK_TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}


class FittedModel:
    """What computes probabilities; several threads may use it at once.

    Parameters
    ----------
    contents : Contents
        Of a bundle whose manifest was checked.
    threads : int
    code : sequence of NamedCode
        That is allowed and imported.

    Attributes
    ----------
    classes : tuple of str
    network : ServedNetwork or ServedCode
    threads : int
    """

    def __init__(self, contents: Contents, threads: int, code: Sequence[NamedCode] = ()) -> None:
        manifest, file = contents.manifest, contents.file
        modules = [one.module for one in code]
        self.network: ServedNetwork | ServedCode = (
            ServedCode.of(manifest["network"], code)
            if names_extractor(manifest)
            else ServedNetwork.of(manifest["network"], file("network.xml"), file("network.bin"))
        )
        self.threads = threads
        self.classes: tuple[str, ...] = tuple(map(str, manifest["classes"]))
        self._temperature = float(manifest["temperature"]["value"])
        self._open = contextlib.ExitStack()
        with ThreadPoolExecutor(1) as beside:  # the network is compiled while scikit-learn is imported
            opening = beside.submit(lambda: self._open.enter_context(self.network.open(threads)))
            self._selector = from_bytes(file("selector.skops"), "selector", modules)
            self._classifier = from_bytes(file("classifier.skops"), "classifier", modules)
            self._engine = opening.result()

    def vectors(self, pixels: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Features of images that the network read, as they come."""
        return self._engine.vectors(pixels)

    def probabilities(self, vectors: NDArray[np.float32], calibrated: bool = True) -> NDArray[np.float64]:
        """Probabilities of all classes, shape (n, classes), from features, shape (n, features)."""
        selected = self._selector.transform(vectors.astype(np.float64))
        trained = self._classifier.predict_proba(selected), self._classifier.classes_
        probabilities = over_classes(*trained, len(self.classes))
        return self.calibrate(probabilities) if calibrated else probabilities

    def calibrate(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities at the bundle's temperature."""
        return apply_temperature(probabilities, self._temperature)

    @cached_property
    def margin(self) -> Margin:
        """How far the classifier prefers one class to another."""
        from .decision_margin import Margin

        return Margin(self._selector, self._classifier, self._temperature)

    def check(self, contents: Contents) -> None:
        """Compare a fixed image and a few vectors with what they gave where the bundle was made.

        Raises
        ------
        BundleError
        """
        stored = arrays(contents.file("check.npz"))
        vector = next(self.vectors(iter([self.network.pattern()])))
        vectors_differ = relative_distance(vector, stored["pattern"])
        recomputed = self.probabilities(stored["vectors"], calibrated=False)
        probabilities_differ = float(np.abs(recomputed - stored["probabilities"]).max())
        limit = _NETWORK_TOLERANCE[self.network.precision]
        alike = vectors_differ <= limit and probabilities_differ <= TOLERANCE  # False for NaN
        if not alike:
            versions = ", ".join(f"{name} {version}" for name, version in contents.manifest["software"].items())
            raise BundleError(
                "The bundle gives different numbers on this machine than where it was made.",
                expected=f"vectors within {limit:g} (relative), probabilities within {TOLERANCE:g}",
                received=f"{vectors_differ:.2g} and {probabilities_differ:.2g}; made with {versions}",
                fix="install the versions that it was made with, or make it again here with `leukobench fit`.",
            )
