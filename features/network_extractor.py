"""Pretrained networks as extractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.reading import READS_PIXELS, read_for
from ..networks import Network, get_network
from ..networks.build import check_precision
from ..networks.network import ImageInput
from ..networks.openvino_ir import Converted
from ..networks.weights import locate
from ..storage import digest
from .engines import choose_engine, engine_family, open_engine
from .extractor import OpenExtractor
from .openvino_engine import converted_network
from .orientations import average_orientations, check_orientations
from .pooling import check_pooling, columns_of

DECODING = "large JPEG at a half, a quarter or an eighth, three times the input or more; BMP without empty alpha"
"""How images are decoded and resized: a new text where `leukobench.images.reading` gives other pixels."""
SPEAKS_FOR = {
    "network": (
        *("networks", "networks.network", "networks.shipped", "networks.applications", "networks.build"),
        "networks.efficientnet_lite",
    ),
    "weights": ("networks.weights", "networks.torch_file"),
    "pooling": ("features.pooling", "features.network_extractor", "features.together"),
    "engine": (
        *("features.engines", "features.network_engine", "features.openvino_engine", "features.keras_engine"),
        *("networks.frameworks", "networks.openvino_ir"),
    ),
    "decoding": READS_PIXELS,
    "orientations": ("features.orientations",),
}
"""Key of the identity -> modules that it speaks for: who changes the numbers that they give gives it another value."""


class NetworkExtractor:
    """A pretrained network without its head, pooled into one vector an image.

    Parameters
    ----------
    network : str or Network
        One of ``leukobench list extractors``, any network of ``keras.applications`` in lower case, or a spec.
    weights : str, optional
        ``imagenet``, ``bundled``, ``random``, ``random:SEED`` or a path; by default the network's own.
    pooling : {"average", "max", "multilevel"}
    precision : {"float32", "bfloat16"}
    engine : {"auto", "openvino", "keras"}
    orientations : {1, 8}
        8 averages the vectors of an image turned by 0, 90, 180 and 270 degrees, and mirrored, at eight times the cost:
        a smear has no upside.

    Raises
    ------
    ConfigurationError, WeightsError, EngineError
        Before any image is read.
    """

    def __init__(
        self,
        network: str | Network,
        weights: str | None = None,
        pooling: str = "average",
        precision: str = "float32",
        engine: str = "auto",
        orientations: int = 1,
    ) -> None:
        check_precision(precision)
        check_pooling(pooling)
        self.network = network if isinstance(network, Network) else get_network(network)
        check_orientations(orientations, self.network.name, self.network.input_size)
        self.pooling, self.precision, self.orientations = pooling, precision, orientations
        self.weights = locate(self.network, weights)
        self.engine = choose_engine(engine)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Network, weights, input and arithmetic."""
        identity = {
            "name": self.network.name,
            "network": self.network.identity(),
            "weights": self.weights.digest,
            "pooling": self.pooling,
            "precision": self.precision,
            "engine": engine_family(self.engine),
            "decoding": DECODING,
        }
        return identity if self.orientations == 1 else identity | {"orientations": self.orientations}

    @property
    def description(self) -> str:
        """Weights and engine; see `Extractor.description`."""
        turned = "" if self.orientations == 1 else f", {self.orientations} orientations averaged"
        return f"{self.weights.label} weights; {engine_family(self.engine)}, {self.precision}{turned}"

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels at the network's input size; see `Extractor.read`."""
        return read_for(data, self.network.input_size, self.network.interpolation)

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Build or load the network; see `Extractor.open`."""
        return self.open_with([self], threads)

    @property
    def image_input(self) -> ImageInput:
        """Size and interpolation; see `Convertible.image_input`."""
        return ImageInput(self.network.input_size, self.network.preprocessing, "nhwc", self.network.interpolation)

    def converted(self) -> Converted:
        """The network with its pooling in OpenVINO's format; see `Convertible.converted`."""
        return converted_network(self.network, self.weights, [self.pooling])

    @property
    def trunk(self) -> str:
        """Digest of all but the pooling; see `leukobench.features.together.Shared`."""
        return digest({key: value for key, value in self.identity.items() if key != "pooling"})

    @property
    def title(self) -> str:
        """Name of the network."""
        return self.network.name

    def open_with(self, members: Sequence[NetworkExtractor], threads: int) -> AbstractContextManager[OpenExtractor]:
        """The same with the poolings of all `members`, one after the other."""
        poolings = [member.pooling for member in members]
        opened = open_engine(self.network, self.weights, poolings, self.precision, self.engine, threads)
        return opened if self.orientations == 1 else average_orientations(opened)

    def columns_with(self, members: Sequence[NetworkExtractor], names: Sequence[str]) -> list[slice]:
        """Where the numbers of each of the `members` stand."""
        return [columns_of(names, member.pooling) for member in members]
