"""From names and parameters to methods: unfitted estimators that are checked, seeded and single-threaded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..errors import ConfigurationError
from ..registry import Registry
from . import calibration
from .calibration import calibrate
from .identity import installed_versions, method_code
from .metrics import METRICS, RANK_BY
from .smote import smote

STORED_TYPES = ("imblearn.pipeline.Pipeline", *calibration.STORED_TYPES)
"""Types that a bundle may hold of what `estimator_factory` puts around a classifier."""
_MOST_CANDIDATES = 5000


@dataclass(frozen=True)
class Candidate:
    """One choice of the searched parameters, and an unfitted estimator with them."""

    parameters: Mapping[str, Any]
    estimator: Any


@dataclass(frozen=True)
class Method:
    """A selector or classifier: its name on tables, an unfitted estimator, and what its results depend on.

    Attributes
    ----------
    axes : mapping of str to list
        Searched parameters and their values; empty where nothing is tuned.
    candidates : tuple of Candidate
        Every choice from the axes, the first one with the first values; one without parameters where nothing is tuned.
    """

    label: str
    estimator: Any
    identity: Mapping[str, Any]
    axes: Mapping[str, list[Any]] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        if not self.candidates:
            object.__setattr__(self, "candidates", (Candidate({}, self.estimator),))


@dataclass(frozen=True)
class FitRules:
    """How every fit of a run is done.

    Attributes
    ----------
    balance : {"none", "class_weight", "oversample", "smote"}
        ``class_weight`` is in the estimators already.
    calibration : {"as_needed", "sigmoid", "isotonic", "temperature"}
        By default only what has no probabilities is calibrated, by a sigmoid.
    seed : int
        Of balancing, inner folds and search.
    tuning : {"none", "grid", "optuna"}
        How the candidates of methods are searched.
    budget : int
        Candidates that Optuna tries at most.
    metric : str
        What the search goes by.
    """

    balance: str = "none"
    calibration: str = "as_needed"
    seed: int = 0
    tuning: str = "none"
    budget: int = 30
    metric: str = RANK_BY

    def identity(self) -> list[Any]:
        """What the numbers of a cell depend on."""
        search: list[Any] = [self.tuning, self.budget, self.metric] if self.tuning != "none" else []
        if search and not METRICS.ships(self.metric):
            search.append(METRICS.source_digest(self.metric))
        if self.tuning == "optuna":
            search.append(installed_versions(["optuna"]))
        return [self.balance, self.calibration, self.seed, *search]


def make_method(
    registry: Registry,
    name: str,
    parameters: Mapping[str, Any],
    label: str,
    seed: int,
    class_weight: bool = False,
    axes: Mapping[str, list[Any]] | None = None,
) -> Method:
    """The method `name` of `registry`; with `axes`, its candidates too.

    It gets ``random_state=seed`` and ``n_jobs=1`` where it takes them: parallelism is the runner's, so that the numbers
    do not depend on it.

    Raises
    ------
    ConfigurationError
        A parameter is refused, the object is no such estimator, or class weights are asked of one that has none.
    """
    offered: dict[str, Any] = {"random_state": seed, "n_jobs": 1}
    if class_weight:
        _check_class_weight(registry, name)
        offered["class_weight"] = "balanced"
    axes = axes or {}
    if (count := math.prod(len(values) for values in axes.values())) > _MOST_CANDIDATES:
        raise ConfigurationError(
            f"The search of {label} has too many candidates.",
            expected=f"at most {_MOST_CANDIDATES:,}",
            received=f"{count:,} ({' x '.join(str(len(values)) for values in axes.values())})",
            fix="search fewer parameters, or name a few values for each.",
        )
    points = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    candidates = tuple(Candidate(point, registry.make(name, {**parameters, **point}, offered)) for point in points)
    estimator = candidates[0].estimator
    _check_estimator(registry, name, estimator)
    identity = {"name": name, "parameters": dict(parameters), "class_weight": class_weight}
    identity["code"] = method_code(registry, name)
    if axes:
        identity["searched"] = dict(axes)
    if hasattr(estimator, "depends_on"):
        identity["depends on"] = estimator.depends_on()
    return Method(label, estimator, identity, axes, candidates)


def _check_class_weight(registry: Registry, name: str) -> None:
    if "class_weight" not in registry.parameters(name):
        raise ConfigurationError(
            f"The {registry.family} '{name}' has no class weights.",
            received="evaluation.balance: class_weight",
            fix=f"leave {name} out, or choose oversample or smote.",
        )


def _check_estimator(registry: Registry, name: str, estimator: Any) -> None:
    needs = ("fit", "transform") if registry.family == "selector" else ("fit", "predict")
    lacking = [method for method in needs if not hasattr(estimator, method)]
    if lacking:
        raise ConfigurationError(
            f"'{name}' is no {registry.family}.",
            expected=f"a scikit-learn estimator with {' and '.join(needs)}",
            received=f"{type(estimator).__name__} without {' and '.join(lacking)}",
        )


def estimator_factory(
    classifier: Method, rules: FitRules, inner: Callable[[], list[Any]], classes: Sequence[str]
) -> Callable[[], Any]:
    """How to make the estimator: balanced inside each fit, and with probabilities from grouped inner folds.

    `classes` are the names behind the codes that it is fitted on.
    """

    def make() -> Any:
        from sklearn.base import clone

        estimator = add_balancing(weights_by_code(clone(classifier.estimator), classes), rules)
        if rules.calibration == "as_needed":
            return estimator if hasattr(estimator, "predict_proba") else calibrate(estimator, "sigmoid", inner())
        return calibrate(estimator, rules.calibration, inner())

    return make


def fit_arguments(estimator: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `arguments` that `fit` takes; a calibrating wrapper passes them on to what it calibrates."""
    names = set(inspect.signature(estimator.fit).parameters)
    if hasattr(estimator, "estimator"):
        names |= set(inspect.signature(estimator.estimator.fit).parameters)
    return {name: value for name, value in arguments.items() if name in names}


def weights_by_code(estimator: Any, classes: Sequence[str]) -> Any:
    """`estimator`, with class weights that are given by name as weights of the codes that it is fitted on.

    Raises
    ------
    ValueError
        There is no class of such a name.
    """
    for name, value in estimator.get_params().items():
        if name.rpartition("__")[2] == "class_weight" and isinstance(value, Mapping):
            unknown = [key for key in value if str(key) not in classes]
            if unknown:
                raise ValueError(f"class_weight: no class {unknown[0]!r}; there are {', '.join(classes)}")
            estimator.set_params(**{name: {classes.index(str(key)): weight for key, weight in value.items()}})
    return estimator


def add_balancing(estimator: Any, rules: FitRules) -> Any:
    """`estimator`, after oversampling of what it is fitted on where the rules say so.

    One with a parameter `oversample` does so itself, after it has put validation images aside.
    """
    if rules.balance not in ("oversample", "smote"):
        return estimator
    if "oversample" in estimator.get_params():
        own = estimator.get_params()["oversample"]
        return estimator.set_params(oversample=own or {"oversample": "random", "smote": "smote"}[rules.balance])
    from imblearn import FunctionSampler
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline

    if rules.balance == "oversample":
        return make_pipeline(RandomOverSampler(random_state=rules.seed), estimator)
    return make_pipeline(FunctionSampler(func=smote, kw_args={"seed": rules.seed}), estimator)
