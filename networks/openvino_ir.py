"""Networks converted to OpenVINO's own format, kept in the cache folder so that later processes need no Keras."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..storage import cache_folder, digest, file_digest, remove_leftovers, storage_errors, temporary_path, write_text
from .frameworks import load_keras, load_openvino, package_version

_FORMAT = 1
_FILES = ("model.xml", "model.bin")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Converted:
    """A converted network: its ``.xml`` file, or both of its files as bytes; and the names of its output's columns."""

    path: Path
    feature_names: tuple[str, ...]
    xml: bytes | None = None
    weights: bytes | None = None

    def files(self) -> tuple[bytes, bytes]:
        """Bytes of the two files."""
        if self.xml is not None and self.weights is not None:
            return self.xml, self.weights
        return self.path.read_bytes(), self.path.with_suffix(".bin").read_bytes()

    def read(self, core: Any) -> Any:
        """The network as a model of OpenVINO, read by its `core`."""
        return core.read_model(str(self.path)) if self.xml is None else core.read_model(*self.files())


def load_converted(
    identity: dict[str, Any],
    make: Callable[[], tuple[Any, list[str]]],
    packages: Sequence[str] = ("keras", "openvino"),
) -> Converted:
    """Return the converted form of a network, from the cache if it is there undamaged.

    Parameters
    ----------
    identity : dict
        JSON-like; everything that the output depends on. The versions of `packages` are added here.
    make : callable
        Builds the model, of Keras or OpenVINO, and names its output's columns; called only if the network has to be
        converted.
    packages : sequence of str
        That convert it.

    Returns
    -------
    Converted
        Files in ``<cache folder>/networks/<digest>``; several processes may request the same network at once.

    Raises
    ------
    EngineError
        The network cannot be converted.
    StorageError
        The cache folder cannot be written.
    """
    versions = {package: package_version(package) for package in packages}
    folder = networks_folder() / digest({**identity, **versions, "format": _FORMAT})
    return _read(folder) or _convert(folder, make, versions)


def networks_folder() -> Path:
    """Folder of all converted networks."""
    return cache_folder() / "networks"


def fault_of(folder: Path) -> str:
    """Why the converted network in `folder` serves no more: it is damaged, or of other versions; else empty."""
    if not _read(folder):
        return "damaged"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    versions = manifest.get("versions", {})  # which earlier ones do not tell
    current = {package: package_version(package) for package in versions}
    return "" if versions == current else f"converted by other versions: {versions}"


def _read(folder: Path) -> Converted | None:
    """Return the network in `folder` if no byte of it has changed."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if all(file_digest(folder / name) == manifest["files"][name] for name in _FILES):
            return Converted(folder / _FILES[0], tuple(manifest["feature_names"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def _convert(folder: Path, make: Callable[[], tuple[Any, list[str]]], versions: dict[str, str]) -> Converted:
    if "keras" in versions:
        load_keras()
    load_openvino()
    model, names = make()
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        (unfinished := temporary_path(folder)).mkdir()
        try:
            export(model, unfinished / _FILES[0])
            files = {name: file_digest(unfinished / name) for name in _FILES}
            manifest = {"files": files, "feature_names": names, "versions": versions}
            write_text(unfinished / "manifest.json", json.dumps(manifest))
            return _publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def export(model: Any, path: Path) -> None:
    """Write the two files of a model of Keras or OpenVINO, and read them again.

    On a full disk OpenVINO may write less and say nothing.

    Raises
    ------
    EngineError
        OpenVINO cannot read it.
    OSError
        The disk is full.
    """
    try:
        if hasattr(model, "export"):
            model.export(str(path), format="openvino", verbose=False)
        else:
            load_openvino().save_model(model, str(path), compress_to_fp16=False)
        _read_back(path)
    except OSError:
        raise
    except Exception as error:  # the converters raise whatever they trip over
        _check_room(path.parent, _bytes(model))
        raise EngineError(
            f"{getattr(model, 'name', 'The network')} cannot be converted for OpenVINO.",
            received=f"{type(error).__name__}: {error}",
            fix="choose `engine: keras`." if hasattr(model, "export") else "",
        ) from error


def _bytes(model: Any) -> int:
    """Of a model's weights."""
    if hasattr(model, "count_params"):
        return 4 * int(model.count_params())
    nodes = [node for node in model.get_ops() if node.get_type_name() == "Constant"]
    return sum(node.get_byte_size() for node in nodes)


def in_memory(model: Any, names: Sequence[str]) -> Converted:
    """A model of Keras or OpenVINO in OpenVINO's format, as bytes, with names of its output's columns.

    Raises
    ------
    EngineError
        It cannot be converted.
    StorageError
        There is no room for temporary files.
    """
    load_openvino()
    with storage_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        export(model, path)
        return Converted(Path("network.xml"), tuple(names), path.read_bytes(), path.with_suffix(".bin").read_bytes())


def _read_back(path: Path) -> None:
    load_openvino().Core().read_model(str(path))


def _check_room(folder: Path, size: int) -> None:
    """Fail as the disk does where it has no room for `size` bytes in `folder`, whose files are deleted."""
    for path in folder.iterdir():
        path.unlink()
    with (folder / "room").open("wb") as file:
        for start in range(0, size, _BLOCK):
            file.write(bytes(min(_BLOCK, size - start)))
        file.flush()
        os.fsync(file.fileno())


def _publish(unfinished: Path, folder: Path) -> Converted:
    """Rename a finished folder in one step; if another process was first, use its folder."""
    if folder.exists() and not _read(folder):
        damaged = temporary_path(folder)
        with contextlib.suppress(FileNotFoundError):
            folder.replace(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
    with contextlib.suppress(OSError):
        unfinished.rename(folder)
    if published := _read(folder):
        return published
    raise OSError(f"{folder} is not as it was written")
