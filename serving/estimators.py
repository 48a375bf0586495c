"""Fitted selectors and classifiers as bytes, by skops: only types of a short list are built, and nothing is run."""

from __future__ import annotations

import functools
import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from ..classifiers import CLASSIFIERS
from ..errors import BundleError
from ..evaluation.methods import STORED_TYPES
from ..selection import SELECTORS
from .estimator_checks import check_part

_OWN = {
    "leukobench.serving.network_output.NetworkOutput",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",  # the selector of shortcut baselines
}
_PLAIN = {
    *(f"builtins.{name}" for name in ("bytearray", "bytes", "dict", "float", "int", "list", "str", "tuple")),
    *(f"numpy.{name}" for name in ("bool", "float32", "float64", "int32", "int64", "ndarray")),
    "collections.OrderedDict",
}
MOVED = {"leukobench.fast_forest": "leukobench.classifiers.forest"}
"""Modules under which older bundles know their estimators, and where these are now."""
_LOADERS = {"Bytearray", "Bytes", "Dict", "Json", "List", "NdArray", "Object", "Tree", "Tuple", "Type"}


@functools.cache
def allowed_types() -> frozenset[str]:
    """Every type that a bundle's estimators may hold: what the shipped methods declare, never plug-ins or a bundle."""
    return SELECTORS.stored_types() | CLASSIFIERS.stored_types() | frozenset([*STORED_TYPES, *_OWN, *_PLAIN])


def from_bytes(data: bytes, what: str) -> Any:
    """The estimator that a bundle stores; its types are checked before anything is built.

    Raises
    ------
    BundleError
        A type is not on the list, or the bytes are no such file.
    """
    import skops.io

    try:
        data = _with_moved_modules(data)
        _refuse_foreign(data, what)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
            loaded = skops.io.loads(data, trusted=sorted(allowed_types()))
        for part in fitted_parts(loaded):
            check_part(part)
    except BundleError:
        raise
    except Exception as error:  # whatever a made-up file makes skops trip over
        raise BundleError(
            f"The bundle's {what} cannot be read.", received=f"{type(error).__name__}: {error}"
        ) from error
    return loaded


def _refuse_foreign(data: bytes, what: str) -> None:
    foreign = sorted(set(type_names(data)) - allowed_types())
    if foreign:
        raise BundleError(
            f"The bundle's {what} contains types that leukobench does not store; it was not loaded.",
            expected="types of leukobench's own list",
            received=", ".join(foreign[:3]),
            fix="get the bundle from a source that you trust.",
        )


def type_names(data: bytes) -> Iterator[str]:
    """Names of all types in a skops file, and of ways to build them that leukobench does not use."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            yield "a compressed file"  # skops writes none; it may unpack to more than there is memory
            return
        waiting = [json.loads(archive.read("schema.json"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__loader__" in node:
                yield f"{node['__module__']}.{node['__class__']}"
                if node["__loader__"].removesuffix("Node") not in _LOADERS:
                    yield node["__loader__"]
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _with_moved_modules(data: bytes) -> bytes:
    """The same file, with the present names of modules that have moved since it was written."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = archive.read("schema.json").decode("utf-8")
        renamed = schema
        for old, new in MOVED.items():
            renamed = renamed.replace(f'"{old}"', f'"{new}"')
        if renamed == schema:
            return data
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
            for member in archive.infolist():
                content = renamed.encode("utf-8") if member.filename == "schema.json" else archive.read(member)
                target.writestr(member.filename, content)
    return written.getvalue()


def fitted_parts(estimator: Any) -> Iterator[Any]:
    """A fitted estimator and all estimators that are fitted inside it."""
    yield estimator
    inner = [step for _, step in getattr(estimator, "steps", [])]
    inner += [one.estimator for one in getattr(estimator, "calibrated_classifiers_", [])]
    for part in inner:
        yield from fitted_parts(part)
