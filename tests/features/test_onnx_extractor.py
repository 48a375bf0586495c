"""ONNX files as extractors: vectors as numpy computes them; every mistake is named before any image is read."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.config.experiment_file import read_experiment
from leukobench.errors import ConfigurationError
from leukobench.features.extractors import make_extractor
from leukobench.features.together import together

from .. import onnx_models

SIDE = onnx_models.SIDE
IMAGES = np.random.default_rng(1).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.save(tmp_path_factory.mktemp("onnx") / "toy.onnx")


def extractor(file: Path, **parameters: Any) -> Any:
    return make_extractor("onnx", {"file": str(file), **parameters})


def vectors(one: Any, images: np.ndarray = IMAGES) -> np.ndarray:
    with one.open(2) as opened:
        return np.stack(list(opened.vectors(iter(images))))


def test_vectors_are_those_of_numpy(file: Path, tmp_path: Path) -> None:
    maps = onnx_models.maps(IMAGES)
    by_name = {
        "vector": onnx_models.vector(IMAGES), "maps": maps.mean(axis=(1, 2)), "/block/Relu": maps.mean(axis=(1, 2))
    }  # fmt: skip
    for output, expected in by_name.items():
        np.testing.assert_allclose(vectors(extractor(file, output=output)), expected, rtol=1e-4, atol=1e-5)
    apart = onnx_models.save(tmp_path / "apart.onnx", external=True)
    np.testing.assert_allclose(vectors(extractor(apart)), by_name["vector"], rtol=1e-4, atol=1e-5)


def test_pixels_are_normalised_as_the_file_needs_it(file: Path) -> None:
    expected = onnx_models.vector(IMAGES)
    mean, std = onnx_models.MEAN.tolist(), onnx_models.STD.tolist()
    raw = {"mean": [255 * number for number in mean], "std": [255 * number for number in std], "scale": 1}
    for same in ({"mean": mean, "std": std}, raw, {"layout": "nchw", "input": SIDE, "output": "vector"}):
        np.testing.assert_allclose(vectors(extractor(file, **same)), expected, rtol=1e-4, atol=1e-4)
    swapped = extractor(file, mean=mean[::-1], std=std[::-1], channels="bgr")
    other = onnx_models.MEAN, onnx_models.STD
    x = (IMAGES[..., ::-1] / 255 - other[0][::-1]) / other[1][::-1]
    maps = np.maximum(x @ onnx_models.KERNEL[:, :, 0, 0].T.astype(np.float64), 0)
    np.testing.assert_allclose(vectors(swapped), maps.mean(axis=(1, 2)) @ onnx_models.MATRIX, rtol=1e-4, atol=1e-4)
    plain = extractor(file, scale=1, output="maps", pooling="max")
    maps = np.maximum(IMAGES @ onnx_models.KERNEL[:, :, 0, 0].T.astype(np.float64), 0)
    np.testing.assert_allclose(vectors(plain), maps.max(axis=(1, 2)), rtol=1e-4, atol=1e-3)


def test_several_outputs_of_one_file_share_a_pass(file: Path) -> None:
    members = [extractor(file), extractor(file, output="maps"), extractor(file, output="maps", pooling="max")]
    (group,) = together([*members, extractor(file, crop=0.875)])
    assert group.members == members
    joint = vectors(group)
    for member, columns in zip(members, group.columns([""] * joint.shape[1]), strict=True):
        np.testing.assert_allclose(joint[:, columns], vectors(member), rtol=1e-5, atol=1e-6)


def test_the_bytes_of_the_file_decide_the_cache_and_its_place_does_not(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.onnx"
    copy.write_bytes(file.read_bytes())
    assert extractor(copy).identity == extractor(file).identity
    other = onnx_models.save(tmp_path / "other.onnx", opset=18)
    assert extractor(other).identity != extractor(file).identity


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"output": "map"}, "did you mean maps"),
        ({"output": "zzz"}, r"maps \["),
        ({"output": "maps", "pooling": "cls"}, "cannot be pooled"),
        ({"pooling": "averge"}, "average"),
        ({"mean": 123.675}, "scale: 1"),
        ({"std": [0.5, 0.5]}, "three of them"),
        ({"std": 0}, "std above 0"),
        ({"scale": 256}, "255"),
        ({"layout": "hwc"}, "nchw, nhwc"),
        ({"layout": "nhwc"}, "layout: nchw"),
        ({"channels": "gbr"}, "rgb, bgr"),
        ({"interpolation": "cubic"}, "bicubic"),
        ({"crop": 2}, "0.875"),
        ({"input": "big"}, "number of pixels"),
        ({"input": 0}, "number of pixels"),
        ({"poolling": "cls"}, "did you mean pooling"),
    ],
)
def test_mistakes_are_named_with_a_way_out(file: Path, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        extractor(file, **parameters)
    assert refused.value.fix


def test_the_size_is_asked_for_where_the_file_leaves_it_open(tmp_path: Path) -> None:
    free = onnx_models.save(tmp_path / "free.onnx", side="side")
    with pytest.raises(ConfigurationError, match="add `input`"):
        extractor(free)
    assert extractor(free, input=[12, 20]).image_input.size == (12, 20)


def test_an_experiment_file_names_the_network_in_three_lines(file: Path, tmp_path: Path) -> None:
    onnx_models.save(tmp_path / "vit.onnx")
    (tmp_path / "experiment.yaml").write_text(
        textwrap.dedent("""
            images: smears
            extractors:
              - onnx: vit.onnx
                mean: 0.5
                std: 0.5
              - onnx: {file: vit.onnx, output: maps, pooling: max}
        """)
    )
    (tmp_path / "twins.yaml").write_text("images: smears\nextractors: [{onnx: vit.onnx}, {onnx: other/vit.onnx}]")
    with pytest.raises(ConfigurationError, match="which have to differ"):
        read_experiment(tmp_path / "twins.yaml")
    first, second = read_experiment(tmp_path / "experiment.yaml").extractors
    assert first.parameters == {"file": str(tmp_path / "vit.onnx"), "mean": 0.5, "std": 0.5}
    assert first.label == "onnx(file=vit.onnx, mean=0.5, std=0.5)"
    assert make_extractor(second.name, second.parameters).pooling == "max of maps"
