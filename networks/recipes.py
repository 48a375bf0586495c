"""Well-known networks of others, from the table ``recipes.csv`` beside it: what to name, licence, gate and size.

The facts were read from the pages of their publishers; sizes of weights from their files, or four bytes a parameter.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from .hub import WEIGHTS, find


@dataclass(frozen=True)
class Recipe:
    """How a network is named in an experiment file, and what is known of it.

    Attributes
    ----------
    name, title : str
        The extractor, and what people call the network.
    repository : str
        Of the hub.
    numbers, input, megabytes : int
        Length of a vector, sides of an image in pixels as its publisher has them, size of the weights; 0: unknown.
    licence : str
    gated : bool
        The weights are given to those who accept the terms.
    parameters : str
        Of the extractor, as YAML, which it has without being told; empty: none are needed.
    """

    name: str
    title: str
    repository: str
    numbers: int
    input: int
    megabytes: int
    licence: str
    gated: bool
    parameters: str

    def on_disk(self) -> bool:
        """Whether the weights lie where the hub's client keeps them."""
        return find(self.repository, WEIGHTS) is not None


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """All recipes, in the order of the table."""
    table = resources.files(__package__).joinpath("recipes.csv").read_text(encoding="utf-8")
    return tuple(map(_recipe, csv.DictReader(table.splitlines())))


def _recipe(row: dict[str, Any]) -> Recipe:
    counts = {key: int(row[key] or 0) for key in ("numbers", "input", "megabytes")}
    return Recipe(**row | counts | {"gated": row["gated"] == "yes"})


def licence_of(repository: str) -> str:
    """Licence of a repository's weights, or ``not stated``."""
    recipe = _of_repository(repository)
    return recipe.licence if recipe else "not stated"


def parameters_of(repository: str) -> dict[str, Any]:
    """Parameters that a repository's network needs, as its publisher gives them."""
    recipe = _of_repository(repository)
    return dict(yaml.safe_load(recipe.parameters) or {}) if recipe else {}


def _of_repository(repository: str) -> Recipe | None:
    named = repository.partition("@")[0].lower()
    return next((one for one in recipes() if one.repository.lower() == named), None)
