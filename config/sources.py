"""Whatever names an experiment in Python: a folder of images, an experiment file, a mapping, or an experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..storage import user_path
from .experiment import Experiment
from .experiment_file import for_folder, read_experiment

Source = Experiment | Mapping[str, Any] | str | Path
_EXPERIMENTS = (".yaml", ".yml")


def experiment_of(source: Source, **settings: Any) -> Experiment:
    """The experiment that `source` names, checked as the command line checks it.

    Parameters
    ----------
    source : path-like, mapping or Experiment
        A folder or manifest of images (the default experiment on it), an experiment file by its ending ``.yaml``, or
        what such a file holds, its paths relative to the current folder.
    **settings
        Keys of an experiment file, which take precedence; beside a folder also ``preset``.

    Raises
    ------
    ConfigurationError
    """
    if isinstance(source, Experiment):
        return experiment_of(source.to_mapping(), **settings) if settings else source
    if isinstance(source, Mapping):
        return _of_mapping({**source, **settings})
    if not isinstance(source, (str, os.PathLike)):
        raise ConfigurationError(
            "This names no experiment.",
            expected="a folder of images, an experiment file, a mapping or an Experiment",
            received=type(source).__name__,
        )
    path = user_path(source)
    is_experiment = path.suffix.lower() in _EXPERIMENTS and not path.is_dir()
    return read_experiment(path, **settings) if is_experiment else for_folder(path, **settings)


def _of_mapping(mapping: dict[str, Any]) -> Experiment:
    images = mapping.pop("images", None)
    section = {"folder": images} if isinstance(images, (str, os.PathLike)) else images
    if not isinstance(section, Mapping) or not isinstance(section.get("folder"), (str, os.PathLike)):
        raise ConfigurationError(
            "The experiment names no images.",
            expected="a mapping such as {'images': {'folder': 'my-images'}}",
            received=repr(images)[:200],
        )
    others = {key: value for key, value in section.items() if key != "folder"}
    return for_folder(Path(section["folder"]), images=others, **mapping)
