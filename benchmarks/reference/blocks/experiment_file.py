"""Every key of an experiment file, from its model: types, defaults and examples of fields, meanings of docstrings."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

OPTIONS = {
    "name": "--name",
    "preset": "--preset",
    "results": "--results",
    "checkpoint": "--checkpoint",
    "executor.dask": "--dask",
    "images.folder": "--images",
    "images.exclude_classes": "--exclude-class",
    **{f"images.{key}": f"--{key.replace('_', '-')}" for key in ("layout", "group", "exclude_files", "copies")},
    **{f"images.{key}": f"--{key.replace('_', '-')}" for key in ("label_conflicts", "corrections")},
    **{f"evaluation.{key}": f"--{key.replace('_', '-')}" for key in ("folds", "split", "drop_leaks", "leave_out")},
    **{f"evaluation.{key}": f"--{key}" for key in ("permute", "permutations")},
    **{f"evaluation.limits.{key}": f"--limit-{key}" for key in ("seconds", "memory")},
}
"""Key -> the option of ``leukobench run`` that sets it."""
_NEEDS = {"evaluation.drop_leaks": {"split": "given"}}
"""Keys that are refused without another one of their section."""
_DEFAULTS = {"name": "by default the name of the file"}
_WORDS = {
    str: "text",
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    Path: "path",
    type(None): "nothing",
}
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def keys(reference: Path) -> Iterator[str]:
    """A heading a key, with its type, default, option, meaning and an example."""
    from leukobench.config.experiment import Experiment

    for path, field, meaning in fields(Experiment):
        model = _model_of(field)
        yield from ("", f"## Section `{path}`" if model else f"{'###' if '.' in path else '##'} `{path}`")
        facts = [] if model else [_type(field)]
        facts += [_DEFAULTS.get(path) or _default(field)] if model is None or field.is_required() else []
        facts += [f"option `{OPTIONS[path]}`"] if path in OPTIONS else []
        yield from ([f"*{'; '.join(facts)}*", ""] if facts else [])
        yield meaning
        if field.examples:
            yield from ("", "```yaml", example(path, field.examples[0]), "```")


def fields(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo, str]]:
    """Dotted key, field and meaning of every key; those of sections come after the plain ones."""
    from numpydoc.docscrape import ClassDoc

    attributes = {one.name: " ".join(one.desc).replace("``", "`") for one in ClassDoc(model)["Attributes"]}
    sections = [name for name, field in model.model_fields.items() if _model_of(field)]
    plain = [name for name in model.model_fields if name not in sections]
    for name in [*plain, *sections]:
        field = model.model_fields[name]
        yield f"{above}{name}", field, attributes[name]
        if nested := _model_of(field):
            yield from fields(nested, f"{above}{name}.")


def example(path: str, value: Any) -> str:
    """A key with a value, as it stands in an experiment file."""
    *sections, name = path.split(".")
    value = _NEEDS.get(path, {}) | {name: value}
    for section in reversed(sections):
        value = {section: value}
    return _in_line(value)[1:-1]


def _in_line(value: Any) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, width=math.inf, allow_unicode=True).strip()


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    from leukobench.config.choice import Choice, Strict

    inner = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
    return next((one for one in inner if issubclass(one, Strict) and one is not Choice), None)


def _type(field: FieldInfo) -> str:
    limits = [
        f"{words} {value:g}"
        for limit in field.metadata
        for name, words in _LIMITS.items()
        if (value := getattr(limit, name, None)) is not None
    ]
    return f"{_name(field.annotation)} {' and '.join(limits)}".strip()


def _name(annotation: Any) -> str:
    from leukobench.config.choice import Choice

    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_name(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list of {'choices' if inner[0] is Choice else {str: 'texts', Path: 'paths'}[inner[0]]}"
    return _WORDS[annotation]


def _default(field: FieldInfo) -> str:
    from leukobench.config.choice import Choice

    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, list):
        default = _in_line([one.short_form() if isinstance(one, Choice) else one for one in default])
    elif isinstance(default, bool):
        default = str(default).lower()
    return "by default nothing" if default is None else f"by default `{default}`"
