"""From names and parameters to methods: unfitted estimators that are checked, seeded and single-threaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from ..registry import Registry


@dataclass(frozen=True)
class Method:
    """A selector or classifier: its name on tables, an unfitted estimator, and what its results depend on."""

    label: str
    estimator: Any
    identity: Mapping[str, Any]


def make_method(
    registry: Registry, name: str, parameters: Mapping[str, Any], label: str, seed: int, class_weight: bool = False
) -> Method:
    """The method `name` of `registry`.

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
    estimator = registry.make(name, parameters, offered)
    _check_estimator(registry, name, estimator)
    identity = {"name": name, "parameters": dict(parameters), "class_weight": class_weight}
    if not registry.ships(name):
        identity["source"] = registry.source_digest(name)
    return Method(label, estimator, identity)


def _check_class_weight(registry: Registry, name: str) -> None:
    if "class_weight" not in registry.parameters(name):
        raise ConfigurationError(
            f"The {registry.family} '{name}' has no class weights.",
            received="evaluation.balance: class_weight",
            mend=f"leave {name} out, or choose oversample or smote.",
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
