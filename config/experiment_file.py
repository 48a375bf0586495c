"""Experiment files: YAML in, a checked `Experiment` out. Unknown keys are refused; every mistake is named at once."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import ConfigurationError
from .choice import Choice
from .experiment import Evaluation, Experiment, Images, PseudoPatients
from .presets import presets


def for_folder(folder: Path, preset: str | None = None, **settings: Any) -> Experiment:
    """The default experiment, or that of a preset, over a folder (or manifest) of images; `settings` win.

    Raises
    ------
    ConfigurationError
        There is no such preset, or a setting is unknown or impossible.
    """
    known = presets()
    if preset is not None and preset not in known:
        raise ConfigurationError(
            f"There is no preset called '{preset}'.",
            expected=", ".join(known),
            received=preset,
            fix="take one of them.",
        )
    for key, value in known[preset].items() if preset else ():
        given = settings.get(key, {} if isinstance(value, dict) else value)
        settings[key] = {**value, **given} if isinstance(value, dict) and isinstance(given, dict) else given
    resolved = folder.expanduser().absolute()
    name = re.sub(r"[^\w.\-]+", "-", resolved.stem if resolved.is_file() else resolved.name).lstrip(".-") or "images"
    images = settings.get("images", {})
    images = {"folder": resolved, **images} if isinstance(images, dict) else images
    return _validated({"name": name, **settings, "images": images}, "")


def read_experiment(path: Path, **settings: Any) -> Experiment:
    """Read an experiment file; paths in it are relative to the file, `settings` win over it.

    The ``experiment.yaml`` that a run leaves behind is one too: its section ``resolved`` is passed over.

    Raises
    ------
    ConfigurationError
        The file is absent, is no YAML mapping, or says something unknown or impossible.
    """
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The experiment file {path} cannot be read.", received=str(error)) from error
    if not isinstance(said, dict):
        raise ConfigurationError(
            f"The experiment file {path} holds no keys.",
            expected="a YAML mapping such as `images: {folder: my-images}`",
            received=type(said).__name__,
        )
    said.pop("resolved", None)
    images = said.get("images")
    if isinstance(images, str):
        images = said["images"] = {"folder": images}
    base = path.absolute().parent
    if isinstance(images, dict) and isinstance(images.get("folder"), str):
        images["folder"] = _beside(base, images["folder"])
    if isinstance(said.get("results"), str):
        said["results"] = _beside(base, said["results"])
    return _validated({"name": path.stem, **said, **settings}, f" in {path}")


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that is given twice is a mistake, rather than the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.YAMLError(f"given twice, line {node.start_mark.line + 1}: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def _beside(base: Path, said: str) -> Path:
    try:
        return Path(base / Path(said).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:
        raise ConfigurationError("A path in the experiment file cannot be.", received=f"{said!r}: {error}") from error


def _validated(said: dict[str, Any], where: str) -> Experiment:
    try:
        return Experiment.model_validate(said)
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False)]
        count = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
        raise ConfigurationError(f"The experiment{where} has {count}:\n    " + "\n    ".join(problems)) from None


def _problem(details: Any) -> str:
    place = ".".join(str(part) for part in details["loc"]) or "the file"
    if details["type"] != "extra_forbidden":
        return f"{place}: {details['msg'].removeprefix('Value error, ')} (received: {_short(details['input'])})"
    known = _keys(details["loc"][:-1])
    nearest = difflib.get_close_matches(str(details["loc"][-1]), known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(known)}"
    return f"{place}: unknown key; {hint}"


def _keys(location: tuple[Any, ...]) -> list[str]:
    sections: dict[tuple[Any, ...], type[BaseModel]] = {
        ("images",): Images,
        ("images", "pseudo_patients"): PseudoPatients,
        ("evaluation",): Evaluation,
        (): Experiment,
    }
    return list(sections.get(location, Choice).model_fields)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
