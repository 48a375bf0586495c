"""Fitted selectors and classifiers as bytes, by skops: types of a list, and nothing that only the fit needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BundleError
from .estimator_parts import parts_of
from .estimators import allowed_types
from .scikit_learn_types import NOT_NEEDED
from .skops_schema import foreign_parts

_PACKAGES = ("sklearn", "imblearn")


def to_bytes(estimator: Any, what: str) -> bytes:
    """A fitted estimator as skops stores it, without what only its fit needed.

    Raises
    ------
    BundleError
        It holds types that are not on the list.
    """
    import skops.io

    try:
        data = skops.io.dumps(_slim(estimator))
        foreign = foreign_parts(data, allowed_types())
    except Exception as error:  # whatever an estimator of the user's own makes skops trip over
        raise _not_storable(what, f"{type(error).__name__}: {error}") from error
    if foreign:
        raise _not_storable(what, ", ".join(foreign[:3]))
    return bytes(data)


def _slim(estimator: Any) -> Any:
    """Forget inner folds, oversampling, generators, and the trees in which neighbours among few features are found."""
    for part in parts_of(estimator):
        if type(part).__module__.partition(".")[0] in _PACKAGES and hasattr(part, "__dict__"):
            part.__dict__.update({name: None for name, value in vars(part).items() if _only_for_fits(name, value)})
            _slim_part(part)
    return estimator


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
        expected="a selector and a classifier of leukobench or scikit-learn, which can be stored without pickle",
        received=received,
        fix="choose another combination: `leukobench fit RUN --combination EXTRACTOR SELECTOR CLASSIFIER`.",
    )
