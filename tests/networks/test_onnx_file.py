"""ONNX files: what they say of themselves without the package onnx, and what is wrong with them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.networks.onnx_file import NEWEST_OPSET, open_onnx
from leukobench.storage import file_digest

from .. import onnx_models
from ..onnx_models import onnx


def test_a_file_says_its_opset_and_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = onnx_models.save(tmp_path / "toy.onnx", opset=18)
    file = open_onnx(str(path))
    assert (file.opset, file.data) == (18, ())
    assert file.weights().digest == file_digest(path)
    assert len(file.read().outputs) == 1


def test_weights_in_other_files_are_a_part_of_the_digest(tmp_path: Path) -> None:
    path = onnx_models.save(tmp_path / "toy.onnx", external=True)
    file = open_onnx(str(path))
    assert file.data == (tmp_path / "weights.data",)
    before = file.weights().digest
    data = bytearray((tmp_path / "weights.data").read_bytes())
    data[0] ^= 1
    (tmp_path / "weights.data").write_bytes(data)
    assert open_onnx(str(path)).weights().digest != before
    (tmp_path / "weights.data").unlink()
    with pytest.raises(ConfigurationError, match=r"weights\.data in the folder"):
        open_onnx(str(path))


def test_weights_of_a_constant_inside_a_branch_are_found(tmp_path: Path) -> None:
    tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "inside")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="branch.bin")
    constant = onnx.helper.make_node("Constant", [], ["y"], value=tensor)
    branch = onnx.helper.make_graph([constant], "branch", [], [onnx.helper.make_tensor_value_info("y", 1, [4])])
    node = onnx.helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch)
    ends = (
        onnx.helper.make_tensor_value_info("x", onnx.TensorProto.BOOL, []),
        onnx.helper.make_tensor_value_info("z", 1, [4]),
    )
    graph = onnx.helper.make_graph([node], "g", *([end] for end in ends))
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.save(model, str(tmp_path / "a.onnx"))
    (tmp_path / "branch.bin").write_bytes(bytes(16))
    assert open_onnx(str(tmp_path / "a.onnx")).data == (tmp_path / "branch.bin",)


@pytest.mark.parametrize("name", ["../weights.data", "/etc/hostname"])
def test_files_elsewhere_are_not_read(tmp_path: Path, name: str) -> None:
    model = onnx_models.model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=name)
    (tmp_path / "inside").mkdir()
    (tmp_path / "weights.data").write_bytes(bytes(1000))
    onnx.save(model, str(tmp_path / "inside" / "toy.onnx"))
    with pytest.raises(ConfigurationError, match="keeps its weights in another file"):
        open_onnx(str(tmp_path / "inside" / "toy.onnx"))


def test_an_opset_that_openvino_does_not_know_is_refused(tmp_path: Path) -> None:
    path = onnx_models.save(tmp_path / "new.onnx", opset=NEWEST_OPSET + 1)
    with pytest.raises(ConfigurationError, match=f"opset {NEWEST_OPSET + 1}"):
        open_onnx(str(path))


def test_an_operator_that_openvino_does_not_know_is_named(tmp_path: Path) -> None:
    path = onnx_models.save(tmp_path / "own.onnx", operator="Shimmer")
    with pytest.raises(ConfigurationError, match="Shimmer"):
        open_onnx(str(path)).read()


def test_other_files_and_damaged_ones_are_refused_in_words(tmp_path: Path) -> None:
    whole = onnx_models.save(tmp_path / "toy.onnx").read_bytes()
    damaged = {
        "absent": None,
        "empty": b"",
        "text": b"hello " * 100,
        "half": whole[: len(whole) // 2],
        "zip": b"PK\x03\x04" * 9,
    }
    for name, data in damaged.items():
        path = tmp_path / f"{name}.onnx"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ConfigurationError, match="does not exist" if data is None else "not an ONNX file"):
            open_onnx(str(path))


def test_no_bytes_end_in_another_error(tmp_path: Path) -> None:
    whole, random = onnx_models.save(tmp_path / "toy.onnx").read_bytes(), np.random.default_rng(0)
    path = tmp_path / "changed.onnx"
    for _ in range(100):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        path.write_bytes(data)
        with contextlib.suppress(ConfigurationError):
            assert open_onnx(str(path)).opset <= NEWEST_OPSET
