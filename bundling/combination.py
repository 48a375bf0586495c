"""A combination fitted on all images of a run, and what its bundle says of its network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evaluation.refit import Refitted
from ..serving.served_code import ServedCode
from ..serving.served_network import ServedNetwork


@dataclass(frozen=True)
class Origin:
    """Where a network's numbers come from.

    Attributes
    ----------
    identity : mapping
        JSON-like: what decides the numbers.
    description, weights : str
        In words.
    """

    identity: Mapping[str, object]
    description: str
    weights: str


@dataclass(frozen=True)
class Agreement:
    """How far the bundle's network is from what the run computed, on a few training images.

    Attributes
    ----------
    images : int
        Training images that were compared.
    largest : float
        Of their vectors, the largest relative distance.
    reference : str
        What the vectors were compared with, if not with the run's own.
    probabilities : float or None
        The largest difference of probabilities, where these were compared.
    """

    images: int
    largest: float
    reference: str = ""
    probabilities: float | None = None

    def to_mapping(self) -> dict[str, float | str]:
        """As a manifest holds it."""
        mapping: dict[str, float | str] = {"images": self.images, "largest": self.largest}
        if self.probabilities is not None:
            mapping |= {"with": self.reference, "probabilities": self.probabilities}
        return mapping


@dataclass(frozen=True)
class FittedCombination:
    """A combination that was fitted on all images of a run.

    Attributes
    ----------
    network : ServedNetwork or ServedCode
    features : ndarray of float32, shape (n, features)
        What it gives for the images.
    fitted : Refitted
        Selector and classifier.
    origin : Origin
    agreement : Agreement
    """

    network: ServedNetwork | ServedCode
    features: NDArray[np.float32]
    fitted: Refitted
    origin: Origin
    agreement: Agreement
