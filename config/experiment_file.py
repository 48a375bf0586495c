"""Experiment files: read YAML into a checked `Experiment`. All mistakes are reported at once."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TextIO

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import ConfigurationError
from ..images.files import TABLES
from ..plugins.permission import search_also
from ..remote.path import any_path, is_url
from ..storage import file_name, user_path
from .cell_limits import CellLimits
from .choice import Choice
from .execution import Execution
from .experiment import Evaluation, Experiment
from .images import Images
from .presets import with_preset
from .pseudo_patients import PseudoPatients

_LONGEST_FILE = 1_000_000  # characters; a device never ends, and PyYAML reads three million a second
_MOST_VALUES = 100_000
_SECTIONS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Experiment,
    ("images",): Images,
    ("images", "pseudo_patients"): PseudoPatients,
    ("evaluation",): Evaluation,
    ("evaluation", "limits"): CellLimits,
    ("executor",): Execution,
}
_LONGEST_NAME = 200  # of a run, in bytes: files and other folders are named after it


def for_folder(folder: Path, preset: str | None = None, **settings: Any) -> Experiment:
    """Make the default experiment, or that of a preset, for a folder or manifest; `settings` take precedence.

    Raises
    ------
    ConfigurationError
        There is no such preset, or a setting is unknown or impossible.
    """
    resolved = any_path(folder).absolute()
    is_table = resolved.suffix.lower() in TABLES if is_url(resolved) else resolved.is_file()
    name = re.sub(r"[^\w.\-]+", "-", resolved.stem if is_table else resolved.name).lstrip(".-") or "images"
    name = file_name(name, longest=_LONGEST_NAME)
    settings = with_preset({"preset": preset, **settings})
    images = settings.get("images", {})
    images = {"folder": resolved, **images} if isinstance(images, dict) else images
    return _validate({"name": name, **settings, "images": images}, "")


def read_experiment(path: Path, **settings: Any) -> Experiment:
    """Read an experiment file; paths in it are relative to the file, and `settings` take precedence.

    The ``experiment.yaml`` of a finished run can be read as well: its section ``resolved`` is ignored, as are keys that
    begin with a full stop or ``x-``, in which people keep what merge keys (``<<``) name.

    Raises
    ------
    ConfigurationError
        The file is absent, is not a YAML mapping, or holds an unknown key or an impossible value.
    """
    path = user_path(path)
    try:
        with path.open(encoding="utf-8") as stream:
            mapping = yaml.load(_whole(stream), Loader=_UniqueKeys)
        _refuse_bomb(mapping)
    except RecursionError:
        raise ConfigurationError(f"The experiment file {path} is nested too deeply.") from None
    except FileNotFoundError:
        raise _absent(path) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The experiment file {path} cannot be read.", received=str(error)) from error
    if not isinstance(mapping, dict):
        raise ConfigurationError(
            f"The experiment file {path} holds no keys.",
            expected="a YAML mapping such as `images: {folder: my-images}`",
            received=type(mapping).__name__,
        )
    mapping = {key: value for key, value in mapping.items() if key != "resolved" and not _holds_anchors(key)}
    images = mapping.get("images")
    if isinstance(images, str):
        images = mapping["images"] = {"folder": images}
    base = path.absolute().parent
    if isinstance(images, dict):
        for key, value in images.items():
            names_file = key in ("folder", "corrections") or (key == "copies" and Path(str(value)).suffix)
            if isinstance(value, str) and names_file:
                images[key] = _resolve(base, value)
    if isinstance(mapping.get("plugins"), list):
        mapping["plugins"] = [_resolve(base, one) if isinstance(one, str) else one for one in mapping["plugins"]]
    for key in ("results", "checkpoint"):
        if isinstance(mapping.get(key), str):
            mapping[key] = _resolve(base, mapping[key])
    if isinstance(mapping.get("extractors"), list):
        mapping["extractors"] = [_with_resolved_file(base, choice) for choice in mapping["extractors"]]
    mapping = with_preset({**mapping, **settings})
    return _validate({"name": file_name(path.stem, longest=_LONGEST_NAME), **mapping}, f" in {path}")


def read_experiment_of_run(path: Path) -> Experiment:
    """The experiment of a run; code of the user's own that it names is found from now on, and not allowed for that."""
    experiment = read_experiment(path)
    search_also(experiment.plugins)
    return experiment


def is_experiment_file(path: Path) -> bool:
    """Whether a path is that of an experiment file, by its ending."""
    return path.suffix.lower() in (".yaml", ".yml") and not path.is_dir()


def is_of_run(path: Path) -> bool:
    """Whether an experiment file is one that a run wrote into its folder, rather than a person."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return re.search(r"^resolved:", stream.read(_LONGEST_FILE), re.MULTILINE) is not None


def _with_resolved_file(base: Path, value: Any) -> Any:
    """An extractor whose file, or weights as ``.safetensors``, are relative to the experiment file."""
    try:
        choice = Choice.model_validate(value)
    except ValidationError:
        return value  # which is reported with all other mistakes
    named = {key: path for key, path in choice.parameters.items() if isinstance(path, str)}
    files = {key: path for key, path in named.items() if key == "file" or path.endswith(".safetensors")}
    resolved = {key: str(_resolve(base, path)) for key, path in files.items()}
    return choice.model_copy(update={"parameters": choice.parameters | resolved}) if resolved else value


def _absent(path: Path) -> ConfigurationError:
    beside = [] if is_url(path) or not path.parent.is_dir() else path.parent.iterdir()
    names = sorted(one.name for one in beside if is_experiment_file(one))
    nearest = difflib.get_close_matches(path.name, names, n=1)
    return ConfigurationError(
        f"There is no experiment file {path}.",
        expected="a YAML file, such as quickstart.yaml, or with --images a folder of images",
        received="a path at which there is nothing",
        fix=f"did you mean {path.with_name(nearest[0])}?" if nearest else "correct the path.",
    )


def _whole(stream: TextIO) -> str:
    text = stream.read(_LONGEST_FILE + 1)
    if len(text) > _LONGEST_FILE:
        raise ValueError(f"it has more than {_LONGEST_FILE:,} characters")
    return text


def _refuse_bomb(mapping: Any) -> None:
    if _values(mapping, {}) > _MOST_VALUES:
        raise ValueError(f"its aliases make more than {_MOST_VALUES:,} values")


def _values(value: Any, counts: dict[int, int]) -> int:
    """How many values there are, those behind an alias counted each time; nobody could print what an alias bomb is."""
    if id(value) not in counts and isinstance(value, dict | list):
        counts[id(value)] = _MOST_VALUES + 1  # of one that holds itself
        inner = value.values() if isinstance(value, dict) else value
        counts[id(value)] = 1 + sum(_values(one, counts) for one in inner)
    return counts.get(id(value), 1)


def _holds_anchors(key: object) -> bool:
    return str(key).startswith((".", "x-"))


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a repeated key is an error, instead of silently replacing the first."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [(key.tag, str(key.value)) for key, _ in node.value]
        twice = sorted({words for kind, words in keys if keys.count((kind, words)) > 1})
        if twice:
            raise yaml.YAMLError(f"repeated, line {node.start_mark.line + 1}: {', '.join(twice)}")
        return node


def _resolve(base: Path, path: str) -> Path:
    if is_url(path):
        return any_path(path)
    try:
        return Path(base / Path(path).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:
        raise ConfigurationError("A path in the experiment file is invalid.", received=f"{path!r}: {error}") from error


def _validate(mapping: dict[str, Any], where: str) -> Experiment:
    try:
        return Experiment.model_validate(mapping)
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False)]
        count = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
        raise ConfigurationError(f"The experiment{where} has {count}:\n    " + "\n    ".join(problems)) from None


def _problem(details: Any) -> str:
    place = ".".join(str(part) for part in details["loc"]) or "the file"
    if details["type"] != "extra_forbidden":
        return f"{place}: {details['msg'].removeprefix('Value error, ')} (received: {_short(details['input'])})"
    *section, key = details["loc"]
    keys = list(_SECTIONS.get(tuple(section), Choice).model_fields)
    elsewhere = [".".join((*other, str(key))) for other, model in _SECTIONS.items() if key in model.model_fields]
    nearest = elsewhere or difflib.get_close_matches(str(key), keys, n=1)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"allowed here: {', '.join(keys)}"
    return f"{place}: unknown key; {hint}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
