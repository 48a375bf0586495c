"""Fitted selectors and classifiers as bytes, by skops: types of a short list, and nothing that only the fit needed."""

from __future__ import annotations

from typing import Any

from ..errors import BundleError
from ..serving.estimators import allowed_types, fitted_parts, type_names


def to_bytes(estimator: Any, what: str) -> bytes:
    """A fitted estimator as skops stores it, without what only its fit needed.

    Raises
    ------
    BundleError
        It holds types that are not on the list, such as those of a plug-in.
    """
    import skops.io

    try:
        data = skops.io.dumps(_slim(estimator))
        foreign = sorted(set(type_names(data)) - allowed_types())
    except (RecursionError, TypeError, AttributeError, NotImplementedError) as error:
        raise _not_storable(what, f"{type(error).__name__}: {error}") from error
    if foreign:
        raise _not_storable(what, ", ".join(foreign[:3]))
    return bytes(data)


def _slim(estimator: Any) -> Any:
    """Forget inner folds, oversampling, and the trees in which neighbours among few features are found faster."""
    for part in fitted_parts(estimator):
        if type(part).__name__ == "CalibratedClassifierCV":
            part.cv, part.estimator = None, None
        elif type(part).__module__ == "imblearn.pipeline":
            part.steps = part.steps[-1:]
        elif type(part).__name__ == "KNeighborsClassifier" and part._tree is not None:
            part._fit_method, part._tree = "brute", None
    return estimator


def _not_storable(what: str, received: str) -> BundleError:
    return BundleError(
        f"The {what} cannot be stored in a bundle.",
        expected="a selector and a classifier that leukobench ships, which can be stored without pickle",
        received=received,
        fix="choose another combination: `leukobench fit RUN --combination EXTRACTOR SELECTOR CLASSIFIER`.",
    )
