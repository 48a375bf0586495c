"""Speed: the time per image of an extractor, from decoded pixels to the vector."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..networks.build import build
from ..networks.weights import locate
from .extractor import Extractor
from .network_extractor import NetworkExtractor

_LEAST_S = 2.0


@dataclass(frozen=True)
class ExtractorCost:
    """Cost of an extractor.

    Attributes
    ----------
    seconds_an_image : float
        Without decoding.
    parameters : int
        Weights of its network; 0 where it has none.
    """

    seconds_an_image: float
    parameters: int


def extractor_cost(extractor: Extractor, files: Sequence[bytes], threads: int) -> ExtractorCost:
    """Time an extractor on a few images, repeated for at least two seconds.

    Parameters
    ----------
    extractor : Extractor
    files : sequence of bytes
        Image files that decode.
    threads : int
        Cores that the extractor may use.
    """
    images = [extractor.read(data) for data in files]
    rounds, seconds = 0, 0.0
    with extractor.open(threads) as engine:
        list(engine.vectors(images))  # the first round warms up
        while seconds < _LEAST_S:
            start = time.perf_counter()
            list(engine.vectors(images))
            rounds, seconds = rounds + 1, seconds + time.perf_counter() - start
    weights = 0
    if isinstance(extractor, NetworkExtractor):
        weights = build(extractor.network, locate(extractor.network, "random")).count_params()
    return ExtractorCost(seconds / (rounds * len(images)), int(weights))
