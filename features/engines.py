"""Engines: what runs a network over images. OpenVINO on CPUs, Keras elsewhere, chosen automatically."""

from __future__ import annotations

import abc
import collections
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ConfigurationError, EngineError, ExtractionError
from ..machine import cores
from ..networks import frameworks
from ..networks.build import build, check_precision
from ..networks.network import Network
from ..networks.openvino_ir import Converted, converted
from ..networks.weights import Weights
from .pooling import check_pooling, feature_names, pooled

ENGINES = ("auto", "openvino", "keras")


class Engine(abc.ABC):
    """A network with its weights and pooling, ready to run.

    Attributes
    ----------
    name : str
        What results say of it, such as ``"OpenVINO 2026.4 float32, CPU"``.
    family : str
        ``"openvino"`` or ``"keras"``; a part of the identity of what is cached.
    feature_names : tuple of str
        One name a number of the vectors.
    """

    name: str
    family: str
    feature_names: tuple[str, ...]

    def __init__(self, input_size: tuple[int, int]) -> None:
        self._shape = (*input_size, 3)

    def vectors(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Run the network over images, as they come.

        Parameters
        ----------
        images : iterable of numpy.ndarray
            uint8 (H, W, 3), RGB, of the network's input size; taken a few ahead of what is given back, never more.

        Yields
        ------
        numpy.ndarray
            float32 (d,), one an image, in the order of the images.

        Raises
        ------
        ExtractionError
            An image has another shape or type, or its vector holds a number that is not finite.
        EngineError
            The engine failed.
        """
        for vector in self._run(map(self._checked, images)):
            if not np.isfinite(vector).all():
                raise ExtractionError(f"{self.name} gave numbers that are not finite.")
            yield vector

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the network's memory."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]: ...

    def _checked(self, image: np.ndarray) -> np.ndarray:
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ExtractionError(
                "An image does not fit the network.",
                expected=f"uint8 {self._shape}",
                received=f"{image.dtype} {image.shape}",
                fix="resize it to the network's input size.",
            )
        return image


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
        The name is unknown, or what was asked for is not installed.
    """
    if name not in ENGINES:
        raise ConfigurationError("There is no such engine.", expected=", ".join(ENGINES), received=name)
    present = {"openvino": frameworks.installed("openvino"), "keras": frameworks.keras_installed()}
    if name == "auto":
        keras_first = frameworks.gpu_usable() or not frameworks.can_convert()
        order = ("keras", "openvino") if keras_first else ("openvino", "keras")
        name = next((engine for engine in order if present[engine]), "auto")
    if not present.get(name):
        raise EngineError(
            "No engine is installed." if name == "auto" else f"The engine {name} is not installed.",
            expected="OpenVINO (CPU), or Keras with TensorFlow, JAX or PyTorch",
            fix="pip install leukobench[cpu], or leukobench[gpu] on a machine with a GPU.",
        )
    return name


def engine_family(engine: str) -> str:
    """Name of the engines whose numbers can stand in one table, for an `engine` that `choose_engine` gave."""
    return {"openvino": OpenVINOEngine.family, "keras": KerasEngine.family}[engine]


def open_engine(
    network: Network,
    weights: Weights,
    poolings: Sequence[str] = ("average",),
    precision: str = "float32",
    engine: str = "auto",
    threads: int | None = None,
) -> Engine:
    """Make a network ready to run.

    Parameters
    ----------
    network, weights
        The spec and what `leukobench.networks.weights.locate` found for it.
    poolings : sequence of {"average", "max", "multilevel"}
        See `leukobench.features.pooling.pooled`.
    precision : {"float32", "bfloat16"}
        bfloat16 is up to twice as fast on processors that know it, and moves vectors by a few per cent.
    engine : {"auto", "openvino", "keras"}
        See `choose_engine`.
    threads : int, optional
        CPU threads to use. Default: all cores that this process may use.

    Returns
    -------
    Engine
        A context manager.

    Raises
    ------
    ConfigurationError, EngineError, WeightsError
        Something asked for does not exist, is not installed, or does not fit.
    """
    for pooling in poolings:
        check_pooling(pooling)
    check_precision(precision)
    threads = threads or cores()
    if choose_engine(engine) == "keras":
        return KerasEngine(network, weights, poolings, precision, threads)
    return OpenVINOEngine(network.input_size, converted_network(network, weights, poolings), precision, threads)


def converted_network(network: Network, weights: Weights, poolings: Sequence[str]) -> Converted:
    """The network with its pooling in OpenVINO's format, from the cache folder where it lies there.

    Raises
    ------
    EngineError, StorageError, WeightsError
    """
    identity = {"network": network.identity(), "weights": weights.digest, "poolings": list(poolings)}
    return converted(identity, lambda: _build(network, weights, poolings, "float32"))


class OpenVINOEngine(Engine):
    """OpenVINO on the CPU.

    Parameters
    ----------
    input_size : tuple of int
        Height and width.
    files : Converted
        The network; see `converted_network`.
    precision, threads
        As for `open_engine`.
    """

    family = "openvino"

    def __init__(self, input_size: tuple[int, int], files: Converted, precision: str, threads: int) -> None:
        super().__init__(input_size)
        self.feature_names = files.feature_names
        self.name = f"OpenVINO {frameworks.short_version('openvino')} {precision}, CPU"
        self._openvino = frameworks.load_openvino()
        self._compiled = self._compile(files, {"float32": "f32", "bfloat16": "bf16"}[precision], threads)
        # Twice as many as streams: while the results of some are fetched, no stream waits for an image.
        self._lookahead = 2 * threads

    def _compile(self, files: Converted, precision: str, threads: int) -> Any:
        core = self._openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("This processor cannot compute in bfloat16.", fix="choose `precision: float32`.")
        model = core.read_model(str(files.path)) if files.xml is None else core.read_model(*files.files())
        steps = self._openvino.preprocess.PrePostProcessor(model)
        steps.input().tensor().set_element_type(self._openvino.Type.u8)
        model = steps.build()
        model.reshape([1, *self._shape])
        # One thread a stream: a vector is then the same to the last bit however many threads there are. The precision
        # is named because processors that know bfloat16 would otherwise use it unasked.
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": str(threads),
            "INFERENCE_NUM_THREADS": threads,
            # Pinned threads of two processes would share the first cores while others lie idle.
            "ENABLE_CPU_PINNING": threads >= cores(),
        }
        return core.compile_model(model, "CPU", settings)

    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        idle: list[Any] = []
        busy: collections.deque[Any] = collections.deque()
        for image in images:
            if len(busy) == self._lookahead:
                idle.append(busy.popleft())
                yield self._result(idle[-1])
            request = idle.pop() if idle else self._compiled.create_infer_request()
            request.set_input_tensor(self._openvino.Tensor(np.ascontiguousarray(image[None])))
            request.start_async()
            busy.append(request)
        while busy:
            yield self._result(busy.popleft())

    def _result(self, request: Any) -> np.ndarray:
        try:
            request.wait()
        except RuntimeError as error:
            raise EngineError(f"{self.name} failed.", received=str(error)) from error
        return request.get_output_tensor().data[0].copy()

    def close(self) -> None:
        """Let go of the network's memory."""
        self._compiled = None


class KerasEngine(Engine):
    """Keras on TensorFlow, JAX or PyTorch; parameters as for `open_engine`."""

    family = "keras"

    def __init__(
        self, network: Network, weights: Weights, poolings: Sequence[str], precision: str, threads: int
    ) -> None:
        super().__init__(network.input_size)
        keras = frameworks.load_keras()
        frameworks.settle_keras(threads)
        self._model, names = _build(network, weights, poolings, precision)
        self.feature_names = tuple(names)
        device = frameworks.device(keras)
        self.name = f"{frameworks.keras_title(keras)} {precision}, {device}"
        self._batch = 8 if device == "CPU" else 64

    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        while batch := list(itertools.islice(images, self._batch)):
            yield from self._predicted(batch)

    def _predicted(self, images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Predict in batches of the size that fits; it is halved, for good, each time that memory runs out."""
        done = 0
        while done < len(images):
            part = images[done : done + self._batch]
            # Always full batches, so that no backend compiles the network anew for the last one.
            padded = [*part, *[part[-1]] * (self._batch - len(part))]
            try:
                vectors = np.asarray(self._model.predict_on_batch(np.stack(padded)), np.float32)
            except Exception as error:  # every backend has its own error for it
                self._back_off(error)
                continue
            yield from vectors[: len(part)]
            done += len(part)

    def _back_off(self, error: Exception) -> None:
        if self._batch == 1 or not frameworks.out_of_memory(error):
            raise EngineError(
                f"{self.name} failed on a batch of {self._batch} images.",
                received=f"{type(error).__name__}: {error}",
                fix="free some memory, or choose `engine: openvino`.",
            ) from error
        self._batch //= 2

    def close(self) -> None:
        """Let go of the network's memory."""
        self._model = None


def _build(network: Network, weights: Weights, poolings: Sequence[str], precision: str) -> tuple[Any, list[str]]:
    model = build(network, weights, precision=precision)
    return pooled(model, network, poolings), feature_names(model, network, poolings)
