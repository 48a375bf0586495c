"""The checkpoint reader builds tensors and nothing else."""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from leukobench.errors import WeightsError
from leukobench.networks import get_network
from leukobench.networks.torch_file import read_tensors
from leukobench.networks.weights import locate

MAGIC = 0x1950A86A20F9469CFC6C


def _global(module, name):
    return b"c" + f"{module}\n{name}\n".encode()


class _Tensor:
    """Pickles as torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())."""

    def __init__(self, key, size, shape, strides, offset=0, kind="FloatStorage"):
        self.key, self.size, self.shape, self.strides, self.offset, self.kind = key, size, shape, strides, offset, kind


class _Pickler(pickle._Pickler):
    legacy = True

    def save(self, obj, save_persistent_id=True):
        if not isinstance(obj, _Tensor):
            return super().save(obj, save_persistent_id)
        self.write(_global("torch._utils", "_rebuild_tensor_v2") + pickle.MARK)
        self.write(pickle.MARK)
        super().save("storage")
        self.write(_global("torch", obj.kind))
        for item in (obj.key, "cpu", obj.size, *([None] if self.legacy else [])):
            super().save(item)
        self.write(pickle.TUPLE + pickle.BINPERSID)
        for item in (obj.offset, obj.shape, obj.strides, False, collections.OrderedDict()):
            super().save(item)
        self.write(pickle.TUPLE + pickle.REDUCE)
        return None


def _dumped(value, legacy=True):
    stream = io.BytesIO()
    pickler = _Pickler(stream, 2)
    pickler.legacy = legacy
    pickler.dump(value)
    return stream.getvalue()


def write_legacy(path: Path, state, storages) -> Path:
    header = [MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    parts = [pickle.dumps(value, 2) for value in header] + [_dumped(state), pickle.dumps(list(storages), 2)]
    for values in storages.values():
        parts += [struct.pack("<q", values.size), values.tobytes()]
    path.write_bytes(b"".join(parts))
    return path


def write_zip(path: Path, state, storages) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", _dumped(state, legacy=False))
        archive.writestr("model/byteorder", "little")
        for key, values in storages.items():
            archive.writestr(f"model/data/{key}", values.tobytes())
    return path


@pytest.mark.parametrize("write", [write_legacy, write_zip])
def test_tensors_come_back_with_their_strides(tmp_path, write):
    values = np.arange(12, dtype="<f4")
    state = {"rows": _Tensor("0", 12, (3, 4), (4, 1)), "turned": _Tensor("0", 12, (2, 3), (1, 4), offset=1)}
    read = read_tensors(write(tmp_path / "a.pth", state, {"0": values}))
    np.testing.assert_array_equal(read["rows"], values.reshape(3, 4))
    np.testing.assert_array_equal(read["turned"], values.reshape(3, 4).T[1:3])


@pytest.mark.parametrize("write", [write_legacy, write_zip])
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((13,), (1,), 0), ((2,), (12,), 0), ((1,), (1,), 12), ((2,), (-1,), 0), ((10**12,), (0,), 0)],
)
def test_a_tensor_cannot_reach_outside_its_storage(tmp_path, write, shape, strides, offset):
    state = {"x": _Tensor("0", 12, shape, strides, offset)}
    with pytest.raises(WeightsError, match="outside its storage"):
        read_tensors(write(tmp_path / "a.pth", state, {"0": np.zeros(12, "<f4")}))


class _Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("write", [write_legacy, write_zip])
@pytest.mark.parametrize("call", [_Call(exec, "raise SystemExit"), _Call(Path, "x"), _Call(getattr, {}, "keys")])
def test_other_globals_are_refused(tmp_path, write, call):
    with pytest.raises(WeightsError, match="which is not a tensor"):
        read_tensors(write(tmp_path / "a.pth", {"x": call}, {}))


def test_other_contents_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="plain dictionary of tensors"):
        read_tensors(write_legacy(tmp_path / "a.pth", {"x": 3}, {}))
    (tmp_path / "b.pth").write_bytes(b"no checkpoint at all")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_tensors(tmp_path / "b.pth")


@pytest.mark.parametrize("kept", [0, 100, 40_000, 60_000, 18_000_000])
def test_a_truncated_checkpoint_is_refused(tmp_path, kept):
    whole = locate(get_network("efficientnet_lite0")).path.read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[:kept])
    with pytest.raises(WeightsError, match="cannot be read"):
        read_tensors(tmp_path / "a.pth")


def test_the_bundled_checkpoint():
    tensors = read_tensors(locate(get_network("efficientnet_lite0")).path)
    assert len(tensors) == 296
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].flags.c_contiguous
