"""Networks of timm as extractors: converted once for OpenVINO on CPUs, run by PyTorch on a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..errors import ConfigurationError
from ..networks.build import check_precision
from ..networks.frameworks import is_installed, load_openvino
from ..networks.graph_pooling import check_pooling
from ..networks.openvino_graph import Cut
from ..networks.recipes import parameters_of
from ..networks.timm_conversion import FEATURES, VECTOR, converted
from ..networks.timm_models import HUB, describe
from ..networks.timm_weights import build, locate
from .extractor import OpenExtractor
from .graph_extractor import GraphExtractor
from .openvino_engine import OpenVINOEngine
from .orientations import average_orientations, check_orientations
from .torch_engine import TorchEngine, gpu_usable

ENGINES = ("auto", OpenVINOEngine.family, TorchEngine.family)
SPEAKS_FOR = {
    "network": (
        *("features.timm_extractor", "features.torch_engine", "features.batch_engine"),
        *("networks.timm_models", "networks.timm_weights", "networks.timm_conversion", "networks.hub"),
    )
}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""


class TimmExtractor(GraphExtractor):
    """A network of timm without its classifier, pooled into one vector an image, with timm's own preprocessing.

    Parameters
    ----------
    network : str
        As timm calls it, such as ``vit_small_patch14_dinov2.lvd142m`` or ``hf-hub:OWNER/NAME``.
    weights : str, optional
        A ``.safetensors`` file, ``random`` or ``random:SEED``; by default those of timm, or of the hub.
    pooling : str, optional
        ``average``, ``max``, ``cls`` or ``mean_patch`` of its tokens or maps, or several such as ``cls+mean_patch``; by
        default the network's own, of well-known ones that of their publisher.
    input : int, optional
        Height and width in pixels; those that timm names by default.
    model_args : dict, optional
        Arguments of the architecture; of well-known networks they are known, see `leukobench.networks.recipes`.
    precision : {"float32", "bfloat16"}
    engine : {"auto", "openvino", "torch"}
        ``auto`` takes PyTorch where it can use a GPU or OpenVINO is not installed.
    orientations : {1, 8}
        See `leukobench.features.network_extractor.NetworkExtractor`.

    Raises
    ------
    ConfigurationError, WeightsError, EngineError
        Before any image is read.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the keys of an experiment file
        self,
        network: str,
        weights: str | None = None,
        pooling: str = "",
        input: int | None = None,
        model_args: Mapping[str, Any] | None = None,
        precision: str = "float32",
        engine: str = "auto",
        orientations: int = 1,
    ) -> None:
        usual = parameters_of(network.removeprefix(HUB))
        pooling = pooling or usual.get("pooling", "")
        check_precision(precision)
        check_pooling(pooling)
        self.engine = _choose_engine(engine)
        self.model = describe(network, input, {**usual.get("model_args", {}), **(model_args or {})})
        self.name = network.rpartition("/")[2].partition("@")[0]
        located, cut = locate(self.model, weights), Cut(FEATURES if pooling else VECTOR, pooling)
        if self.engine == OpenVINOEngine.family:
            super().__init__(located, self.model.image_input, cut, precision, orientations)
            return
        check_orientations(orientations, self.name, self.model.image_input.size)
        self.weights, self.image_input, self.cut = located, self.model.image_input, cut
        self.precision, self.orientations = precision, orientations
        opened = self._torch_engine([self], 1)
        with opened:
            self.feature_names, self.cut = opened.feature_names, Cut(cut.output, opened.poolings[0])

    @property
    def identity(self) -> Mapping[str, Any]:
        """Architecture, weights, input, cut and arithmetic."""
        return {**super().identity, "engine": self.engine, "network": {"version": 1, **self.model.identity()}}

    @property
    def description(self) -> str:
        """Weights and engine; see `Extractor.description`."""
        return super().description.replace(f"; {OpenVINOEngine.family},", f"; {self.engine},")

    @property
    def pooling(self) -> str:
        """What is taken of the network."""
        return "its own pooling" if self.cut.output == VECTOR else self.cut.pooling

    def load(self) -> Any:
        """The converted network; see `GraphExtractor.load`."""
        return converted(self.model, self.weights).read(load_openvino().Core())

    def open_with(self, members: Sequence[GraphExtractor], threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load the network with what all `members` take of it; see `GraphExtractor.open_with`."""
        if self.engine == OpenVINOEngine.family:
            return super().open_with(members, threads)
        opened = self._torch_engine(members, threads)
        return opened if self.orientations == 1 else average_orientations(opened)

    def _torch_engine(self, members: Sequence[GraphExtractor], threads: int) -> TorchEngine:
        module = build(self.model, self.weights)
        return TorchEngine(module, self.image_input, [member.cut for member in members], self.precision, threads)


def _choose_engine(name: str) -> str:
    if name not in ENGINES:
        raise ConfigurationError(
            "There is no such engine for networks of timm.", expected=", ".join(ENGINES), received=repr(name)
        )
    if name != "auto":
        return name
    openvino = is_installed("openvino") and not (is_installed("torch") and gpu_usable())
    return OpenVINOEngine.family if openvino else TorchEngine.family
