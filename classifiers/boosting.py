"""Gradient-boosted trees (XGBoost) for any labels."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import EngineError
from ..machine import has_gpu
from ..registry import declares
from .stored_trees import check_trees

_MOST_KEPT = 3
"""Binned matrices that a process keeps: one for each inner fold of a search."""
_KEPT: OrderedDict[bytes, Any] = OrderedDict()


@declares(search_space={"max_depth": [3, 2, 5], "learning_rate": [0.3, 0.1]})
class XGBoost(ClassifierMixin, BaseEstimator):
    """XGBoost's histogram trees.

    XGBoost itself takes labels 0, 1, 2, ... only; here they are encoded inside `fit`, so that a fold may lack a class.

    Parameters
    ----------
    n_estimators : int
        Rounds of boosting, a tree for each class.
    max_depth : int
    learning_rate : float
    max_bin : int
        Histogram bins a feature; few are enough for pooled features and cost less time.
    subsample, colsample_bynode : float
        Parts of the images that a tree sees, and of the features that a split chooses from.
    reg_lambda : float
        L2 penalty on the leaves: with 3, half as many rounds do as well (decision 029).
    class_weight : "balanced", mapping or None
    device : {"auto", "cpu", "cuda"}
        Where trees are grown; ``"auto"`` uses a GPU if there is one and XGBoost was built for it.
    random_state, n_jobs : int, optional

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Sorted labels.
    booster_ : xgboost.Booster
    n_features_in_ : int

    References
    ----------
    T. Chen, C. Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_bin": [Interval(Integral, 2, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "colsample_bynode": [Interval(Real, 0, 1, closed="right")],
        "reg_lambda": [Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "device": [StrOptions({"auto", "cpu", "cuda"})],
        "random_state": [Integral, None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        max_depth: int = 3,
        learning_rate: float = 0.3,
        max_bin: int = 32,
        subsample: float = 1.0,
        colsample_bynode: float = 0.1,
        reg_lambda: float = 3.0,
        class_weight: Any = None,
        device: str = "auto",
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.max_bin = max_bin
        self.subsample = subsample
        self.colsample_bynode = colsample_bynode
        self.reg_lambda = reg_lambda
        self.class_weight = class_weight
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : array-like of float, shape (n_images, n_features)
        y : array-like of str or int, shape (n_images,)

        Raises
        ------
        ValueError
            `y` holds fewer than two classes, or `X` NaN or infinity.
        EngineError
            XGBoost is not installed.
        """
        self._validate_params()
        features, labels = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"XGBoost needs at least two classes. Received one class: {self.classes_[0]!r}.")
        settings = self.get_params()
        rounds, threads = settings.pop("n_estimators"), settings.pop("n_jobs")
        weights = compute_sample_weight(settings.pop("class_weight"), labels)
        settings["seed"] = 0 if self.random_state is None else self.random_state
        several = {"objective": "multi:softprob", "num_class": len(self.classes_)}
        settings |= several if len(self.classes_) > 2 else {"objective": "binary:logistic"}
        settings |= {"tree_method": "hist", "nthread": threads or 0, "device": _device(self.device)}
        del settings["random_state"]
        matrix = _bin_features(features, codes, weights, self.max_bin, threads)
        self.booster_ = _xgboost().train(settings, matrix, rounds)
        self.booster_.set_param({"device": "cpu"})  # prediction gets arrays in main memory
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Trees in XGBoost's own format (JSON)."""
        state = dict(super().__getstate__())
        if "booster_" in state:
            state["booster_"] = bytes(state["booster_"].save_raw("json"))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(stored := state.get("booster_"), bytes):
            check_trees(stored, int(state["n_features_in_"]), len(state["classes_"]))
            state = state | {"booster_": _xgboost().Booster({"device": "cpu"}, model_file=bytearray(stored))}
        super().__setstate__(state)

    def _validate_params(self) -> None:
        """Refuse parameters that could not be fitted; also called before a run begins."""
        _xgboost()
        super()._validate_params()

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probabilities, shape (n_images, n_classes), columns in the order of `classes_`."""
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        probabilities = self.booster_.inplace_predict(features)
        return probabilities if probabilities.ndim == 2 else np.column_stack([1 - probabilities, probabilities])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable label of each image, shape (n_images,)."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "cuda" if has_gpu() and _xgboost().build_info()["USE_CUDA"] else "cpu"


def _bin_features(
    features: NDArray[Any], codes: NDArray[Any], weights: NDArray[Any], max_bin: int, threads: int | None
) -> Any:
    """Bin the features, an eighth of a fit's time; kept for the other candidates of a search on the same images."""
    content = hashlib.sha256(np.ascontiguousarray(features).data)
    for part in (codes, weights, np.array([*features.shape, features.itemsize, max_bin])):
        content.update(np.ascontiguousarray(part).data)
    key = content.digest()
    if key not in _KEPT:
        _KEPT[key] = _xgboost().QuantileDMatrix(features, codes, weight=weights, max_bin=max_bin, nthread=threads)
    _KEPT.move_to_end(key)
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return _KEPT[key]


def _xgboost() -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise EngineError(
            "XGBoost is not installed.",
            received=str(error),
            fix="pip install leukobench[cpu] (or [gpu]), or remove xgboost from the classifiers.",
        ) from error
    return xgboost
