"""Whatever names an experiment in Python: a folder of images, an experiment file, a mapping, or an experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..remote.path import any_path
from .experiment import Experiment
from .experiment_file import for_folder, is_experiment_file, is_of_run, read_experiment

Source = Experiment | Mapping[str, Any] | str | Path


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
    path = any_path(source)
    return read_experiment(path, **settings) if is_experiment_file(path) else for_folder(path, **settings)


def is_named_by_user(source: Source) -> bool:
    """Whether the user wrote the experiment that `source` names, rather than a run that left it in its folder."""
    path = any_path(source) if isinstance(source, (str, os.PathLike)) else None
    return path is None or not (is_experiment_file(path) and is_of_run(path))


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
    return for_folder(any_path(section["folder"]), images=others, **mapping)
