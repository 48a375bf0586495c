"""Converted networks: a full disk is named, whatever the converter makes of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from leukobench.bundling import export_network
from leukobench.errors import BundleError, EngineError, StorageError
from leukobench.networks import openvino_ir


class Model:
    """Fails to export as OpenVINO does on a full disk: with an error that does not name it."""

    name = "net"

    def export(self, path: str, **options: Any) -> None:
        Path(path).write_text("half")
        raise RuntimeError("Exception from src/core/src/pass/serialize.cpp: Can't open bin file.")

    def count_params(self) -> int:
        return 1_000_000


@pytest.mark.parametrize("full", [True, False])
def test_a_full_disk_is_named_and_anything_else_is_the_converter(
    full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size == 4_000_000
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(openvino_ir, "load_keras", lambda: None)
    monkeypatch.setattr(openvino_ir, "load_openvino", lambda: None)
    monkeypatch.setattr(os, "fsync", fsync)
    expected = (StorageError, "disk is full") if full else (EngineError, "cannot be converted")
    with pytest.raises(expected[0], match=expected[1]):
        openvino_ir.load_converted({"network": "net"}, lambda: (Model(), ["a"]))
    assert not list((tmp_path / "networks").iterdir())
    with pytest.raises(expected[0] if full else BundleError, match=expected[1]):
        export_network.export_network(Model(), ["a"])
