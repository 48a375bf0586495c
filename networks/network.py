"""The spec of one network: builder, input size, preprocessing, weights, source and licence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """First step of the graph, on raw RGB pixels (0 to 255): ``(pixel - mean) / std``, channel by channel.

    Parameters
    ----------
    mean, std : tuple of float
        Three numbers each, in the order of `channels`.
    channels : {"RGB", "BGR"}
        Order in which the network was trained to see the channels.
    """

    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    channels: str = "RGB"


CAFFE = Preprocessing(mean=(103.939, 116.779, 123.68), channels="BGR")
TENSORFLOW = Preprocessing(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))
TORCH = Preprocessing(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
LITE = Preprocessing(mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0))
IN_THE_NETWORK = Preprocessing()


@dataclass(frozen=True)
class PublishedFile:
    """A weights file as its publisher offers it.

    Parameters
    ----------
    name : str
        File name in the ``models`` folder of Keras.
    url : str
        Where it can be downloaded.
    checksum : str
        MD5 or SHA-256 (hex); empty where the publisher gives none.
    """

    name: str
    url: str
    checksum: str


@dataclass(frozen=True)
class BundledFile:
    """A weights file inside an installed package: import name, path inside it, and SHA-256 (hex)."""

    package: str
    path: str
    checksum: str


@dataclass(frozen=True)
class Network:
    """A convolutional network that turns an image into feature maps.

    Parameters
    ----------
    name, title : str
        Name in experiment files, and name in tables.
    builder : str
        ``"module:function"``, called as the functions of ``keras.applications`` are (``include_top``, ``weights``,
        ``input_tensor``).
    input_size : tuple of int
        Height and width in pixels.
    interpolation : {"bilinear", "bicubic"}
        Resizing that the network was published with; done by the reader, antialiased, before the graph.
    preprocessing : Preprocessing
        Done inside the graph, so that every engine gets raw pixels.
    stages : tuple of str
        Layers that end the stages, for multi-level pooling. Empty: the last layer before each halving of the map.
    published : PublishedFile or None
        ImageNet weights that can be downloaded.
    bundled : BundledFile or None
        ImageNet weights that a required package ships.
    source, licence : str
        Paper of the network, and licence of its ImageNet weights.
    builder_loads : bool
        The builder has to load the published weights itself, since its graph depends on them.
    numbers, megabytes : int
        Length of its vectors with the pooling ``average``, and size of its weights without the classifier; 0: unknown.
    """

    name: str
    title: str
    builder: str
    input_size: tuple[int, int]
    preprocessing: Preprocessing
    source: str
    licence: str
    interpolation: str = "bilinear"
    stages: tuple[str, ...] = ()
    published: PublishedFile | None = None
    bundled: BundledFile | None = None
    builder_loads: bool = False
    numbers: int = 0
    megabytes: int = 0

    @property
    def default_weights(self) -> str:
        """Weights used by default: bundled if there are any, else ImageNet."""
        return self.weights_choices[0]

    @property
    def weights_choices(self) -> tuple[str, ...]:
        """Weights that `weights.locate` offers, besides a path."""
        files = (("bundled", self.bundled), ("imagenet", self.published or self.bundled))
        return (*(choice for choice, file in files if file), "random")

    def identity(self) -> dict[str, Any]:
        """Everything that decides the features, as a JSON-like value; titles and sources take no part."""
        keys = ("name", "builder", "input_size", "interpolation", "preprocessing", "stages")
        return {key: value for key, value in asdict(self).items() if key in keys}


@dataclass(frozen=True)
class ImageInput:
    """What a network wants of an image.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels.
    preprocessing : Preprocessing
        Of raw pixels, 0 to 255.
    layout : {"nchw", "nhwc"}
        Order of the axes of the network's input.
    interpolation : str
    crop : float or None
        See `leukobench.images.reading.read_for`.
    """

    size: tuple[int, int]
    preprocessing: Preprocessing
    layout: str = "nchw"
    interpolation: str = "bilinear"
    crop: float | None = None
