"""Well-known networks of others, from the table ``recipes.csv`` beside it: what to name, licence, gate and size.

The facts were read from the pages of their publishers; sizes of weights from their files, or four bytes a parameter.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

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
        Of the extractor, as YAML; empty: none are needed.
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
    named = repository.partition("@")[0].lower()
    return next((one.licence for one in recipes() if one.repository.lower() == named), "not stated")
