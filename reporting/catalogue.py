"""What can be chosen: every name of a family, with its parameters and their defaults."""

from __future__ import annotations

from typing import Any

from ..classifiers import CLASSIFIERS
from ..features.extractors import EXTRACTORS
from ..images.layouts import LAYOUTS
from ..registry import Registry
from ..selection import SELECTORS

FAMILIES = {"extractors": EXTRACTORS, "selectors": SELECTORS, "classifiers": CLASSIFIERS, "layouts": LAYOUTS}
_SEEDED = ("random_state", "n_jobs", "class_weight")
_ALSO = {
    "extractors": "Any other network of keras.applications works by its name in lower case, such as resnet50v2.",
    "layouts": "With --group REGEX, any layout takes the patient from the path.",
}


def lines(family: str) -> list[str]:
    """One line a name, then how to use one's own.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    """
    registry = FAMILIES[family]
    width = max(map(len, registry.names()))
    listed = [f"{name:<{width}}  {_described(registry, name)}".rstrip() for name in registry.names()]
    own = f"Your own: a dotted name (package.module:Name), or an entry point in the group leukobench.{family}."
    return [*listed, "", *([_ALSO[family]] if family in _ALSO else []), own]


def _described(registry: Registry, name: str) -> str:
    if registry is LAYOUTS:
        return (registry.get(name).__doc__ or "").strip().splitlines()[0]
    parameters = registry.parameters(name).items()
    return ", ".join(f"{key}={_shown(value)}" for key, value in parameters if key not in _SEEDED)


def _shown(value: Any) -> str:
    return "?" if value is ... else str(value)
