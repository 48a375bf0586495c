"""ONNX files: what they say of themselves, with the files that hold their weights; read by OpenVINO alone."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..storage import digest, user_path
from .frameworks import load_openvino
from .openvino_graph import last_line
from .weights import Weights, file_digests

NEWEST_OPSET = 27
"""Of ONNX's own operators that OpenVINO knows; it reads newer ones as if they were of this one."""
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIELDS = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {13: "entry"},
}
"""Messages of ONNX's format -> numbers of the fields that lead to operator sets, and to the names of other files."""
_DEEPEST = 50


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file.

    Attributes
    ----------
    path : Path
    opset : int
        Version of the set of operators of ONNX itself; 0 where there is none.
    data : tuple of Path
        Files beside it that hold weights.
    """

    path: Path
    opset: int
    data: tuple[Path, ...]

    def weights(self) -> Weights:
        """Digest of the file and of those that hold its weights."""
        digests = [file_digests(path)[0] for path in (self.path, *self.data)]
        both = digests[0] if len(digests) == 1 else digest(digests)
        return Weights("file", self.path, both, f"file {self.path.name}")

    def read(self) -> Any:
        """The network, as a new `openvino.Model`.

        Raises
        ------
        ConfigurationError
            OpenVINO cannot read it.
        """
        try:
            return load_openvino().Core().read_model(str(self.path))
        except RuntimeError as error:
            operators = re.search(r"No conversion rule found for operations: (.*)", str(error))
            raise ConfigurationError(
                "OpenVINO cannot read it.",
                expected="operators that it knows" if operators else "an ONNX file",
                received=operators[1][:300] if operators else last_line(error),
                fix="export the network again, with `opset_version=17` and no operators of your own.",
            ) from error


def open_onnx(file: str) -> OnnxFile:
    """Find an ONNX file and those that it names, and check what can be checked without reading the weights.

    Raises
    ------
    ConfigurationError
        There is no such file; it is none of ONNX's; it is too new; or files that it names are absent, or elsewhere.
    """
    path = user_path(str(file)).absolute()
    if not path.is_file():
        raise ConfigurationError(
            "The ONNX file does not exist.", expected="a file", received=str(path), fix="correct the path."
        )
    opset, names = _describe(path)
    if opset > NEWEST_OPSET:
        raise ConfigurationError(
            f"{path.name} is of a newer version of ONNX than OpenVINO reads.",
            expected=f"opset {NEWEST_OPSET} or an earlier one",
            received=f"opset {opset}",
            fix="export the network again, with `opset_version=17`.",
        )
    return OnnxFile(path, opset, tuple(_beside(path, name) for name in names))


def _describe(path: Path) -> tuple[int, list[str]]:
    """Opset, and names of other files, each once."""
    opset, names, graphs = 0, dict[str, None](), 0
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for kind, start, end in _messages(data, "model", 0, len(data)):
                entry = {number: value for number, _, value in _fields(data, start, end)} if kind != "graph" else {}
                graphs += kind == "graph"
                if kind == "opset" and not _text(data, entry.get(1)):
                    opset = max(opset, entry.get(2, 0))
                if kind == "entry" and _text(data, entry.get(1)) == "location":
                    names[_text(data, entry.get(2))] = None
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise _no_onnx(path) from error
    if not graphs:
        raise _no_onnx(path)
    return opset, list(names)


def _messages(data: mmap.mmap, kind: str, start: int, end: int, depth: int = 0) -> Iterator[tuple[str, int, int]]:
    """Messages inside a message that lead somewhere, with their places: graphs, operator sets and entries."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for number, wire, value in _fields(data, start, end):
        inner = _FIELDS[kind].get(number)
        if inner is None or wire != _BYTES:
            continue
        if inner in ("graph", "opset", "entry"):
            yield inner, *value
        if inner in _FIELDS:
            yield from _messages(data, inner, value[0], value[1], depth + 1)


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, Any]]:
    """Number, kind and value of each field of a message of protocol buffers: a number, or the place of some bytes."""
    while start < end:
        key, start = _varint(data, start)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, start = _varint(data, start)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, start = _varint(data, start)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ValueError("not of this format")
        if start + length > end:
            raise ValueError("cut off")
        yield number, wire, (start, start + length)
        start += length


def _varint(data: mmap.mmap, start: int) -> tuple[int, int]:
    value = 0
    for position in range(10):
        byte = data[start + position]
        value |= (byte & 127) << (7 * position)
        if byte < 128:
            return value, start + position + 1
    raise ValueError("a number without end")


def _text(data: mmap.mmap, place: tuple[int, int] | None) -> str:
    return "" if place is None else data[place[0] : place[1]].decode("utf-8")


def _beside(path: Path, name: str) -> Path:
    """A file that an ONNX file names: in its folder, or below it."""
    data = (path.parent / name).resolve()
    if not data.is_relative_to(path.parent.resolve()) or not data.is_file():
        raise ConfigurationError(
            f"{path.name} keeps its weights in another file, which is not there.",
            expected=f"{name[:200]} in the folder of {path.name}",
            received=str(path.parent),
            fix="put it there, or export the network with `external_data=False`.",
        )
    return data


def _no_onnx(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path.name} is not an ONNX file, or is damaged.",
        expected="a network in ONNX's format",
        received=str(path),
        fix="export the network, or copy the file, again.",
    )
