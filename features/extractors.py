"""Extractors: what a run asks of anything that turns images into feature vectors."""

from __future__ import annotations

import contextlib
import itertools
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib.metadata import packages_distributions, version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError, ExtractionError, UnknownNameError
from ..images.reading import decode, resize
from ..networks import NETWORKS, get_network
from ..networks.build import check_precision
from ..networks.weights import locate
from ..registry import Registry
from ..storage import digest
from .engines import choose_engine, engine_family, open_engine
from .orientations import averaged, check_orientations
from .pooling import check_pooling, columns_of

_BATCH = 32
_DECODING = "large JPEG at a half, a quarter or an eighth, three times the input or more"


class Engine(Protocol):
    """A network (or a plug-in) that is loaded and ready."""

    @property
    def feature_names(self) -> Sequence[str]:
        """One name a number of the vectors; empty where the names are just numbers."""

    def vectors(self, images: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """One vector for each thing that was read, in their order, taking only a bounded number of them ahead."""


class Extractor(Protocol):
    """What turns images into feature vectors."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that the numbers depend on; decides the cache folder."""

    @property
    def description(self) -> str:
        """Weights and engine, for tables: ``"ImageNet weights; openvino, float32"``; random weights are RANDOM."""

    def read(self, data: bytes) -> NDArray[Any]:
        """What the engine gets of one image file: its pixels, as a rule. Called in several threads at once.

        Raises
        ------
        UnreadableImageError
            The bytes do not decode completely.
        """

    def open(self, threads: int) -> AbstractContextManager[Engine]:
        """Load the engine, which uses at most `threads` cores."""


class NetworkExtractor:
    """A pretrained network without its head, pooled into one vector an image.

    Parameters
    ----------
    network : str
        One of ``leukobench list extractors``, or any network of ``keras.applications`` in lower case.
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
        network: str,
        weights: str | None = None,
        pooling: str = "average",
        precision: str = "float32",
        engine: str = "auto",
        orientations: int = 1,
    ) -> None:
        check_precision(precision)
        check_pooling(pooling)
        self.network = get_network(network)
        check_orientations(orientations, self.network)
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
            "decoding": _DECODING,
        }
        return identity if self.orientations == 1 else identity | {"orientations": self.orientations}

    @property
    def description(self) -> str:
        """Weights and engine; see `Extractor.description`."""
        turned = "" if self.orientations == 1 else f", {self.orientations} orientations averaged"
        return f"{self.weights.label} weights; {engine_family(self.engine)}, {self.precision}{turned}"

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels at the network's input size; see `Extractor.read`."""
        size = self.network.input_size
        return resize(decode(data, target_size=size), size, self.network.interpolation)

    def open(self, threads: int) -> AbstractContextManager[Engine]:
        """Build or load the network; see `Extractor.open`."""
        return self.open_with([self.pooling], threads)

    def open_with(self, poolings: Sequence[str], threads: int) -> AbstractContextManager[Engine]:
        """The same with other poolings, one after the other."""
        opened = open_engine(self.network, self.weights, poolings, self.precision, self.engine, threads)
        return opened if self.orientations == 1 else averaged(opened)


class Together:
    """Extractors that differ in their pooling alone: one pass over the images serves all of them.

    Parameters
    ----------
    members : sequence of NetworkExtractor
        Of one `trunk`.
    """

    def __init__(self, members: Sequence[NetworkExtractor]) -> None:
        self.members = members
        self.read = members[0].read

    def open(self, threads: int) -> AbstractContextManager[Engine]:
        """Build or load the network with all poolings; the vectors of the members stand one after the other."""
        return self.members[0].open_with([member.pooling for member in self.members], threads)

    def columns(self, names: Sequence[str]) -> list[slice]:
        """Where the numbers of each member stand."""
        return [columns_of(names, member.pooling) for member in self.members]


def together(extractors: Iterable[Extractor]) -> list[Together]:
    """Groups of two extractors or more that one pass over the images can serve."""
    groups: dict[str, list[NetworkExtractor]] = {}
    for extractor in extractors:
        if isinstance(extractor, NetworkExtractor):
            trunk = {key: value for key, value in extractor.identity.items() if key != "pooling"}
            groups.setdefault(digest(trunk), []).append(extractor)
    return [Together(members) for members in groups.values() if len({m.pooling for m in members}) > 1]


class CustomExtractor:
    """A user's object with ``transform(images) -> (n, d)``, where images is a list of (H, W, 3) uint8 RGB arrays.

    An attribute ``input_size = (height, width)`` asks for resized images.
    """

    description = "an extractor of the user's own"
    feature_names: Sequence[str] = ()

    def __init__(self, name: str, transformer: Any, parameters: Mapping[str, Any], source: str) -> None:
        if not hasattr(transformer, "transform"):
            raise ConfigurationError(
                f"The extractor '{name}' cannot extract.",
                expected="an object with transform(images), images a list of uint8 arrays of shape (H, W, 3)",
                received=type(transformer).__name__,
            )
        self.name = name
        self._transformer = transformer
        self.input_size = _checked_size(name, getattr(transformer, "input_size", None))
        self._width = 0
        self.identity: Mapping[str, Any] = {
            "name": name.rpartition(":")[2].rpartition(".")[2],
            "source": source,
            "version": _distribution_version(type(transformer).__module__),
            "parameters": {key: repr(value) for key, value in parameters.items()},
            "input_size": list(self.input_size) if self.input_size else None,
            "decoding": _DECODING if self.input_size else "whole",
        }

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels, at the size that the object asks for; see `Extractor.read`."""
        image = decode(data, target_size=self.input_size)
        return resize(image, self.input_size) if self.input_size else image

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[Engine]:
        """There is nothing to load."""
        yield self

    def vectors(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Vectors in batches of 32 images."""
        images = iter(images)
        while batch := list(itertools.islice(images, _BATCH)):
            rows = self._transform(batch)
            self._width = self._width or rows.shape[-1]
            if rows.shape != (len(batch), self._width):
                raise ExtractionError(
                    "The extractor's transform gave no table of vectors.",
                    expected=f"shape ({len(batch)}, {self._width or 'features'})",
                    received=f"shape {rows.shape}",
                )
            yield from rows

    def _transform(self, batch: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        try:
            return np.asarray(self._transformer.transform(batch), dtype=np.float32)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise ExtractionError(
                f"The extractor '{self.name}' failed: {type(error).__name__}: {error}.",
                received=f"{len(batch)} images, the first of shape {batch[0].shape} ({place.filename}:{place.lineno})",
                fix="correct it and run the same command again.",
            ) from error


class _Extractors(Registry):
    """The shipped networks, plug-ins, and every network of keras.applications by its name."""

    def get(self, name: str) -> Any:
        try:
            return super().get(name)
        except UnknownNameError:
            if ":" not in name and "." not in name:
                return partial(NetworkExtractor, get_network(name).name)
            raise


EXTRACTORS = _Extractors("extractor")
for _name in NETWORKS.names():
    EXTRACTORS.add(_name, partial(NetworkExtractor, _name))


def make_extractor(name: str, parameters: Mapping[str, Any]) -> Extractor:
    """The extractor `name` with its parameters checked, its weights found, its engine chosen."""
    made = EXTRACTORS.make(name, parameters)
    if isinstance(made, NetworkExtractor):
        return made
    return CustomExtractor(name, made, parameters, EXTRACTORS.source_digest(name))


def _checked_size(name: str, size: Any) -> tuple[int, int] | None:
    pair = isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)
    if size is not None and not pair:
        raise ConfigurationError(
            f"The extractor '{name}' has an impossible input_size.", expected="(height, width)", received=repr(size)
        )
    return tuple(size) if size else None


def _distribution_version(module: str) -> str:
    owners = packages_distributions().get(module.partition(".")[0], [])
    return version(owners[0]) if owners else ""
