"""The schema of a skops file, read before anything is built: which types it names, and in which ways it builds them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_NUMBERS = frozenset(
    f"numpy.{name}"
    for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
)
_OF_LOADER: Mapping[str, frozenset[str]] = {
    "Bytearray": frozenset(["builtins.bytearray"]),
    "Bytes": frozenset(["builtins.bytes"]),
    "DType": frozenset(["numpy.dtype"]),
    "Dict": frozenset(["builtins.dict", "collections.OrderedDict"]),
    "Function": frozenset(["numpy.mean"]),  # of `sklearn.cluster.FeatureAgglomeration`
    "Json": frozenset(f"builtins.{name}" for name in ("bool", "float", "int", "str")),
    "List": frozenset(["builtins.list"]),
    "NdArray": _NUMBERS | {"numpy.ndarray", "numpy.str_"},
    "Tree": frozenset(["sklearn.tree._tree.Tree"]),
    "Tuple": frozenset(["builtins.tuple"]),
    "Type": _NUMBERS | {f"builtins.{name}" for name in ("bool", "float", "int", "str")} | {"numpy.str_"},
}
"""How skops builds something -> what may be built so; ``Object`` builds the estimators of the list."""

DATA = frozenset().union(*_OF_LOADER.values())
"""Everything that may be built beside estimators."""
_MOST_FEATURES, _MOST_CLASSES = 10**7, 10**5


def foreign_parts(data: bytes, estimators: frozenset[str]) -> list[str]:
    """What a skops file names that is not plain data, nor an estimator of the list; sorted, each once.

    Names of attributes with two underscores are foreign, too: numpy would take such an object for an array at an
    address of memory that it names.

    Raises
    ------
    ValueError, KeyError, TypeError
        The file is no such file, or a tree in it does not fit together.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            return ["a compressed file"]  # skops writes none; it may unpack to more than there is memory
        nodes = list(_nodes(archive))
        foreign = sorted({part for node in nodes for part in _foreign(node, estimators)})
        for node in nodes if not foreign else ():
            if node["__loader__"] == "TreeNode":
                _check_tree(node, archive)
    return foreign


def object_types(data: bytes) -> frozenset[str]:
    """Full names of the types that a skops file builds as objects."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return frozenset(_type_name(node) for node in _nodes(archive) if node["__loader__"] == "ObjectNode")


def _check_tree(node: Mapping[str, Any], archive: zipfile.ZipFile) -> None:
    """Refuse a tree whose numbers are not those of its arrays: scikit-learn would read on behind them."""
    features, classes, outputs = node["__reduce__"]["args"]["content"]
    state = node["content"]["content"]
    counts, grown = (np.load(io.BytesIO(archive.read(part["file"]))) for part in (classes, state["nodes"]))
    numbers = [json.loads(part["content"]) for part in (features, outputs, state["node_count"])]
    whole = all(type(number) is int for number in numbers) and 0 < numbers[0] <= _MOST_FEATURES
    if not whole or numbers[1:] != [1, len(grown)] or counts.shape != (1,) or not 0 < counts[0] <= _MOST_CLASSES:
        raise ValueError("a tree of another size than its nodes")


def _nodes(archive: zipfile.ZipFile) -> Iterator[dict[str, Any]]:
    """Every node that builds something, the outermost first."""
    waiting = [json.loads(archive.read("schema.json"))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _foreign(node: dict[str, Any], estimators: frozenset[str]) -> Iterator[str]:
    name = _type_name(node)
    loader, content = str(node["__loader__"]).removesuffix("Node"), node.get("content")
    if name not in (estimators if loader == "Object" else _OF_LOADER.get(loader, ())):
        yield name if loader in ("Object", "Function", "Tree", "Type") else f"{name} ({loader})"
    if loader == "Dict":
        yield from (f"an attribute {key}" for key in content or () if key.startswith("__"))
    elif loader == "Object" and content is not None and content["__loader__"] != "DictNode":
        if content.get("content") != "null":  # of an object without attributes
            yield f"attributes as {content['__loader__']}"
    elif loader == "DType" and (content or {}).get("__loader__") != "NdArrayNode":
        yield "a type of numbers without numbers"
    elif loader == "Json" and isinstance(json.loads(content or "null"), list | dict):
        yield "a container written as text"


def _type_name(node: Mapping[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"
