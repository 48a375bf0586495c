"""Fitted selectors and classifiers as bytes, by skops: types of a list, and nothing that only the fit needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BundleError
from .estimator_parts import parts_of
from .estimators import allowed_types
from .named_code import can_be_named
from .scikit_learn_types import NOT_NEEDED, SCIKIT_LEARN
from .skops_schema import foreign_parts, object_types


@dataclass(frozen=True)
class Stored:
    """A fitted estimator as skops stores it.

    Attributes
    ----------
    data : bytes
    modules : frozenset of str
        Modules of code that it needs beside the types of the list.
    """

    data: bytes
    modules: frozenset[str]


def to_bytes(estimator: Any, what: str) -> bytes:
    """A fitted estimator as skops stores it, of the types of the list alone; raises as `store` does."""
    return store(estimator, what, can_name=False).data


def store(estimator: Any, what: str, can_name: bool = True) -> Stored:
    """A fitted estimator as skops stores it, without what only its fit needed.

    Parameters
    ----------
    estimator : fitted estimator
    what : str
        Its name in messages.
    can_name : bool
        Types of the user's own, and of other packages, may be named.

    Raises
    ------
    BundleError
        It holds types that are neither on the list, nor named.
    """
    import skops.io

    try:
        data = bytes(skops.io.dumps(_slim(estimator)))
        others = object_types(data) - allowed_types() if can_name else frozenset()
        own = frozenset(name for name in others if can_be_named(name))
        foreign = foreign_parts(data, allowed_types() | own)
    except Exception as error:  # whatever an estimator of the user's own makes skops trip over
        raise _not_storable(what, f"{type(error).__name__}: {error}") from error
    if foreign:
        raise _not_storable(what, ", ".join(foreign[:3]))
    return Stored(data, frozenset(name.partition(".")[0] for name in own))


def _slim(estimator: Any) -> Any:
    """Forget inner folds, oversampling, generators, and the trees in which neighbours among few features are found."""
    for part in parts_of(estimator):
        if hasattr(part, "__dict__") and any(_is_listed(kind) for kind in type(part).__mro__):
            part.__dict__.update({name: None for name, value in vars(part).items() if _only_for_fits(name, value)})
            _slim_part(part)
    return estimator


def _is_listed(kind: type) -> bool:
    name = f"{kind.__module__}.{kind.__qualname__}"
    return name in SCIKIT_LEARN or name == "imblearn.pipeline.Pipeline"


def _only_for_fits(name: str, value: Any) -> bool:
    return name in NOT_NEEDED or isinstance(value, np.random.RandomState | np.random.Generator)


def _slim_part(part: Any) -> None:
    name = type(part).__name__
    if name == "CalibratedClassifierCV":
        part.estimator = None
    elif type(part).__module__ == "imblearn.pipeline":
        part.steps = part.steps[-1:]
    elif isinstance(getattr(part, "_fit_X", None), np.ndarray) and getattr(part, "_tree", None) is not None:
        part._fit_method, part._tree = "brute", None
    elif name == "SparseRandomProjection" and not isinstance(part.components_, np.ndarray):
        part.components_ = part.components_.toarray()


def _not_storable(what: str, received: str) -> BundleError:
    return BundleError(
        f"The {what} cannot be stored in a bundle.",
        expected="numbers, texts, and classes of leukobench, scikit-learn or modules in files, without pickle",
        received=received,
        fix="choose another combination: `leukobench fit RUN --combination EXTRACTOR SELECTOR CLASSIFIER`.",
    )
