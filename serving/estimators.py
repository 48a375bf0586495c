"""Fitted selectors and classifiers as bytes, by skops: only types of a short list are built, and nothing is run."""

from __future__ import annotations

import functools
import importlib
import io
import warnings
import zipfile
from collections.abc import Collection
from typing import Any

from ..classifiers import CLASSIFIERS
from ..errors import BundleError
from ..evaluation.methods import STORED_TYPES
from ..selection import SELECTORS
from .estimator_checks import check_estimator
from .scikit_learn_types import SCIKIT_LEARN
from .skops_schema import DATA, foreign_parts, object_types

_OWN = {
    "leukobench.classifiers.predicted_class.PredictedClass",
    "leukobench.serving.network_output.NetworkOutput",
}
MOVED = {"leukobench.fast_forest": "leukobench.classifiers.forest"}
"""Modules under which older bundles know their estimators, and where these are now."""


@functools.cache
def allowed_types() -> frozenset[str]:
    """Every type that a bundle's estimators may hold: what the shipped methods declare, and those of scikit-learn."""
    return SELECTORS.stored_types() | CLASSIFIERS.stored_types() | frozenset([*STORED_TYPES, *_OWN]) | SCIKIT_LEARN


def from_bytes(data: bytes, what: str, modules: Collection[str] = ()) -> Any:
    """The estimator that a bundle stores; its types are checked before anything is built.

    Parameters
    ----------
    data : bytes
    what : str
        Its name in messages.
    modules : collection of str
        Named code that is allowed and imported: classes that are defined there may be built, too.

    Raises
    ------
    BundleError
        A type is not on the list, or the bytes are no such file.
    """
    import skops.io

    try:
        data = _with_moved_modules(data)
        allowed = allowed_types() | _own_types(data, modules)
        _refuse_foreign(data, what, allowed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
            loaded = skops.io.loads(data, trusted=sorted(allowed | DATA))
        check_estimator(loaded)
    except BundleError:
        raise
    except Exception as error:  # whatever a made-up file makes skops trip over
        raise BundleError(
            f"The bundle's {what} cannot be read.", received=f"{type(error).__name__}: {error}"
        ) from error
    return loaded


def _own_types(data: bytes, modules: Collection[str]) -> frozenset[str]:
    """Types of a file that named code defines, rather than imports."""
    dotted = [name.rpartition(".") for name in object_types(data) if name.partition(".")[0] in modules]
    kinds = {f"{module}.{name}": getattr(importlib.import_module(module), name, None) for module, _, name in dotted}
    return frozenset(
        name
        for name, kind in kinds.items()
        if isinstance(kind, type) and f"{kind.__module__}.{kind.__qualname__}" == name
    )


def _refuse_foreign(data: bytes, what: str, allowed: frozenset[str]) -> None:
    foreign = foreign_parts(data, allowed)
    if foreign:
        raise BundleError(
            f"The bundle's {what} contains types that leukobench does not store; it was not loaded.",
            expected="types of leukobench's own list",
            received=", ".join(foreign[:3]),
            fix="get the bundle from a source that you trust.",
        )


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
