"""Extractors of graphs: cached like others, several in one pass, and in the form that bundles hold."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ConfigurationError
from leukobench.features.extractor import Convertible
from leukobench.features.extractors import make_extractor
from leukobench.features.graph_extractor import GraphExtractor
from leukobench.features.together import together
from leukobench.networks.frameworks import load_openvino
from leukobench.networks.network import TORCH, ImageInput
from leukobench.networks.openvino_graph import Cut
from leukobench.networks.openvino_ir import in_memory
from leukobench.networks.weights import Weights
from leukobench.serving.served_network import ServedNetwork

openvino = load_openvino()
opset13 = openvino.opset13
SIDE = 8
IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


class Toy(GraphExtractor):
    """Maps "doubled" of three channels, and the maxima of each."""

    name = "toy"

    def __init__(self, output: str = "", pooling: str = "", crop: float | None = None, **parameters: Any) -> None:
        image_input = ImageInput((SIDE, SIDE), TORCH, crop=crop)
        super().__init__(Weights("file", None, "d1", "file toy"), image_input, Cut(output, pooling), **parameters)

    def load(self) -> Any:
        image = opset13.parameter([1, 3, SIDE, SIDE], np.float32, name="image")
        doubled = opset13.multiply(image, opset13.constant(np.float32(2)), name="doubled")
        top = opset13.reduce_max(doubled, opset13.constant([2, 3]), False)
        return openvino.Model([opset13.result(top)], [image], "toy")


def doubled(image: np.ndarray) -> np.ndarray:
    return 2 * (image.astype(np.float64) - TORCH.mean) / TORCH.std


def vectors(extractor: Any, images: Any = IMAGES) -> np.ndarray:
    with extractor.open(2) as opened:
        return np.stack(list(opened.vectors(iter(images))))


def test_vectors_are_those_of_numpy_alone_and_in_one_pass() -> None:
    average, top = Toy("doubled"), Toy()
    expected = [doubled(IMAGES).mean(axis=(1, 2)), doubled(IMAGES).max(axis=(1, 2))]
    for extractor, values in zip((average, top), expected, strict=True):
        np.testing.assert_allclose(vectors(extractor), values, rtol=1e-5, atol=1e-5)
    (group,) = together([average, Toy(precision="bfloat16"), top, Toy(crop=0.5)])
    assert group.members == [average, top]
    assert group.title == "file toy (average of doubled, none)"
    joint = vectors(group)
    for columns, values in zip(group.columns(["?"] * joint.shape[1]), expected, strict=True):
        np.testing.assert_allclose(joint[:, columns], values, rtol=1e-5, atol=1e-5)


def test_what_decides_a_number_is_in_the_identity() -> None:
    identities = [Toy(), Toy("doubled"), Toy("doubled", "max"), Toy(crop=0.5), Toy(orientations=8)]
    assert len({str(extractor.identity) for extractor in identities}) == len(identities)
    assert str(Toy().identity) == str(Toy(pooling="none").identity)
    with pytest.raises(ConfigurationError, match="cropped"):
        Toy(crop=1.5)


def test_the_converted_form_gives_the_same_vectors() -> None:
    extractor = Toy("doubled", crop=0.5)
    assert isinstance(extractor, Convertible)
    assert isinstance(make_extractor("efficientnet_lite0", {}), Convertible)
    read = extractor.image_input
    served = ServedNetwork(read.size, read.interpolation, "float32", 1, extractor.converted(), crop=read.crop)
    again = ServedNetwork.of(served.to_mapping(), *served.files.files())
    np.testing.assert_array_equal(vectors(again), vectors(extractor))
    picture = np.random.default_rng(1).integers(0, 256, (20, 32, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    np.testing.assert_array_equal(again.read(stream.getvalue()), extractor.read(stream.getvalue()))


def test_a_network_kept_as_bytes_is_read_from_no_file(tmp_path: Path) -> None:
    kept = in_memory(Toy().load(), ["a", "b", "c"])
    assert kept.xml is not None
    assert kept.feature_names == ("a", "b", "c")
    assert len(kept.read(openvino.Core()).outputs) == 1
