"""The catalogue: every name that can be chosen, with its parameters and their defaults."""

from __future__ import annotations

from typing import Any

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.presets import presets
from ..errors import UnknownNameError
from ..evaluation.metrics import METRICS, metrics
from ..features.extractors import EXTRACTORS
from ..images.layouts import LAYOUTS
from ..networks import NETWORKS, get_network
from ..registry import Registry
from ..selection import SELECTORS

FAMILIES = {
    "extractors": EXTRACTORS,
    "selectors": SELECTORS,
    "classifiers": CLASSIFIERS,
    "cnns": CNNS,
    "layouts": LAYOUTS,
}
_SEEDED = ("random_state", "n_jobs", "class_weight")
_ALSO = {
    "extractors": (
        "pooling: average, max, multilevel (mean and standard deviation after each stage)\n"
        "weights: bundled or imagenet where there are some, random, random:SEED, or the path of a file\n"
        "precision: float32, bfloat16; engine: auto, openvino, keras\n"
        "Any other network of keras.applications works by its name in lower case, such as resnet50v2."
    ),
    "cnns": (
        "Trained end to end, under the key `cnns:` of an experiment file. transfer takes any network that\n"
        "`leukobench list extractors` names; unfreeze_from: a layer's name, the prefix of a block's layers, or all."
    ),
    "layouts": "With --group REGEX, any layout takes the patient from the path.",
}


def lines(family: str) -> list[str]:
    """List the names of a family, one line each, then how to add your own.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`, ``"metrics"`` or ``"presets"``.

    Raises
    ------
    UnknownNameError
        There is no such family.
    """
    others = {"metrics": _metrics, "presets": _presets}
    if family in others:
        return others[family]()
    if family not in FAMILIES:
        known = [*FAMILIES, *others]
        raise UnknownNameError(f"There is no family called '{family}'.", expected=", ".join(known), received=family)
    registry = FAMILIES[family]
    width = max(map(len, registry.names()))
    listed = [f"{name:<{width}}  {_described(registry, name)}".rstrip() for name in registry.names()]
    own = f"Your own: a dotted name (package.module:Name), or an entry point in the group leukobench.{family}."
    return [*listed, "", *([_ALSO[family]] if family in _ALSO else []), own]


def _metrics() -> list[str]:
    described = {one.name: f"{one.title}{', may rank combinations' if one.ranks else ''}" for one in metrics()}
    width = max(map(len, METRICS.names()))
    listed = [f"{name:<{width}}  {words}" for name, words in described.items()]
    return [*listed, "", "Your own: an entry point in the group leukobench.metrics."]


def _presets() -> list[str]:
    return [*presets(), "", "Take one by `leukobench run --images FOLDER --preset NAME`."]


def _described(registry: Registry, name: str) -> str:
    if registry is LAYOUTS:
        layout = registry.get(name)
        return getattr(layout, "shape", "") or (layout.__doc__ or "").strip().splitlines()[0]
    parameters = registry.parameters(name)
    if registry is EXTRACTORS and name in NETWORKS.names():
        parameters["weights"] = get_network(name).default_weights
    return ", ".join(f"{key}={_shown(value)}" for key, value in parameters.items() if key not in _SEEDED)


def _shown(value: Any) -> str:
    return "?" if value is ... else str(value)
