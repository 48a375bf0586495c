"""Engines: which one runs a network over images. OpenVINO on CPUs, Keras elsewhere, chosen automatically."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConfigurationError, EngineError
from ..machine import cores
from ..networks import frameworks
from ..networks.build import check_precision
from ..networks.network import Network
from ..networks.weights import Weights
from .keras_engine import KerasEngine
from .network_engine import NetworkEngine
from .openvino_engine import OpenVINOEngine, converted_network
from .pooling import check_pooling

ENGINES = ("auto", "openvino", "keras")


def choose_engine(name: str = "auto") -> str:
    """Decide which engine runs.

    Parameters
    ----------
    name : {"auto", "openvino", "keras"}
        ``"auto"`` takes Keras where its backend can use a GPU, or cannot convert networks; else OpenVINO; else Keras.

    Returns
    -------
    str
        ``"openvino"`` or ``"keras"``.

    Raises
    ------
    ConfigurationError, EngineError
        The name is unknown, or the engine is not installed.
    """
    if name not in ENGINES:
        raise ConfigurationError("There is no such engine.", expected=", ".join(ENGINES), received=name)
    installed = {"openvino": frameworks.is_installed("openvino"), "keras": frameworks.keras_installed()}
    if name == "auto":
        keras_first = frameworks.gpu_usable() or not frameworks.can_convert()
        order = ("keras", "openvino") if keras_first else ("openvino", "keras")
        name = next((engine for engine in order if installed[engine]), "auto")
    if not installed.get(name):
        raise EngineError(
            "No engine is installed." if name == "auto" else f"The engine {name} is not installed.",
            expected="OpenVINO (CPU), or Keras with TensorFlow, JAX or PyTorch",
            fix="pip install leukobench[cpu], or leukobench[gpu] on a machine with a GPU.",
        )
    return name


def engine_family(engine: str) -> str:
    """Family of engines with comparable features, for an `engine` returned by `choose_engine`."""
    return {"openvino": OpenVINOEngine.family, "keras": KerasEngine.family}[engine]


def open_engine(
    network: Network,
    weights: Weights,
    poolings: Sequence[str] = ("average",),
    precision: str = "float32",
    engine: str = "auto",
    threads: int | None = None,
) -> NetworkEngine:
    """Make a network ready to run.

    Parameters
    ----------
    network, weights
        The spec and what `leukobench.networks.weights.locate` found for it.
    poolings : sequence of {"average", "max", "multilevel"}
        See `leukobench.features.pooling.add_poolings`.
    precision : {"float32", "bfloat16"}
        bfloat16 is up to twice as fast on processors that support it, and moves vectors by a few per cent.
    engine : {"auto", "openvino", "keras"}
        See `choose_engine`.
    threads : int, optional
        CPU threads to use. Default: all cores that this process may use.

    Returns
    -------
    NetworkEngine
        A context manager.

    Raises
    ------
    ConfigurationError, EngineError, WeightsError
        A pooling, precision or engine does not exist or is not installed, or the weights do not fit.
    """
    for pooling in poolings:
        check_pooling(pooling)
    check_precision(precision)
    threads = threads or cores()
    if choose_engine(engine) == "keras":
        return KerasEngine(network, weights, poolings, precision, threads)
    return OpenVINOEngine(network.input_size, converted_network(network, weights, poolings), precision, threads)
