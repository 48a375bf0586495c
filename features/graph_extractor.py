"""Networks that OpenVINO reads as graphs: base class of extractors for files and frameworks other than Keras."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.reading import READS_PIXELS, check_crop, read_for
from ..networks.build import check_precision
from ..networks.graph_pooling import check_pooling
from ..networks.network import ImageInput
from ..networks.openvino_graph import Cut, Graph, make_graph
from ..networks.openvino_ir import Converted, in_memory
from ..networks.weights import Weights
from ..storage import digest
from .engines import choose_engine
from .extractor import OpenExtractor
from .network_extractor import DECODING
from .openvino_engine import OpenVINOEngine
from .orientations import average_orientations, check_orientations

SPEAKS_FOR = {
    "graph": ("features.graph_extractor", "networks.openvino_graph", "networks.graph_pooling"),
    "decoding": READS_PIXELS,
}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""


class GraphExtractor(abc.ABC):
    """A network that `load` gives, cut at an output and pooled into one vector an image; OpenVINO runs it on CPUs.

    Parameters
    ----------
    weights : Weights
        Their digest is a part of the identity, their label one of the description.
    image_input : ImageInput
    cut : Cut
    precision : {"float32", "bfloat16"}
    orientations : {1, 8}
        See `leukobench.features.network_extractor.NetworkExtractor`.

    Attributes
    ----------
    name : str
        Of the class: begins the cache folder.
    feature_names : tuple of str

    Raises
    ------
    ConfigurationError, EngineError
        The network does not fit these; it is loaded once to see that.
    """

    name: str

    def __init__(
        self,
        weights: Weights,
        image_input: ImageInput,
        cut: Cut,
        precision: str = "float32",
        orientations: int = 1,
    ) -> None:
        check_precision(precision)
        check_pooling(cut.pooling)
        check_crop(image_input.crop)
        check_orientations(orientations, self.name, image_input.size)
        choose_engine("openvino")
        self.weights, self.image_input = weights, image_input
        self.precision, self.orientations = precision, orientations
        graph = make_graph(self.load(), image_input, [cut])
        self.feature_names, self.cut = graph.feature_names, Cut(cut.output, graph.poolings[0])

    @abc.abstractmethod
    def load(self) -> Any:
        """The network as a new `openvino.Model`, without preprocessing."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Weights, input, cut and arithmetic."""
        identity = {
            "name": self.name,
            "graph": 1,
            "weights": self.weights.digest,
            "input": asdict(self.image_input),
            "cut": asdict(self.cut),
            "precision": self.precision,
            "engine": OpenVINOEngine.family,
            "decoding": DECODING,
        }
        return identity if self.orientations == 1 else identity | {"orientations": self.orientations}

    @property
    def description(self) -> str:
        """Weights and engine; see `Extractor.description`."""
        turned = "" if self.orientations == 1 else f", {self.orientations} orientations averaged"
        return f"{self.weights.label}; {OpenVINOEngine.family}, {self.precision}{turned}"

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels at the network's input size; see `Extractor.read`."""
        return read_for(data, self.image_input.size, self.image_input.interpolation, self.image_input.crop)

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load the network; see `Extractor.open`."""
        return self.open_with([self], threads)

    @property
    def trunk(self) -> str:
        """Digest of all but the cut; see `leukobench.features.together.Shared`."""
        return digest({key: value for key, value in self.identity.items() if key != "cut"})

    @property
    def title(self) -> str:
        """What the weights are called."""
        return self.weights.label

    @property
    def pooling(self) -> str:
        """Pooling, and the output that is pooled."""
        return f"{self.cut.pooling} of {self.cut.output}" if self.cut.output else self.cut.pooling

    def open_with(self, members: Sequence[GraphExtractor], threads: int) -> AbstractContextManager[OpenExtractor]:
        """The same with what all `members` take of the network, one after the other."""
        graph = self._graph(members)
        engine = OpenVINOEngine(self.image_input.size, graph, self.precision, threads)
        return engine if self.orientations == 1 else average_orientations(engine)

    def columns_with(self, members: Sequence[GraphExtractor], names: Sequence[str]) -> list[slice]:
        """Where the numbers of each of the `members` stand."""
        ends = list(itertools.accumulate((len(member.feature_names) for member in members), initial=0))
        return [slice(start, end) for start, end in itertools.pairwise(ends)]

    def converted(self) -> Converted:
        """The network with its pooling in OpenVINO's format; see `Convertible.converted`."""
        graph = self._graph([self])
        return in_memory(graph.model, graph.feature_names)

    def _graph(self, members: Sequence[GraphExtractor]) -> Graph:
        return make_graph(self.load(), self.image_input, [member.cut for member in members])
