"""The sets of images whose results are published, as they lie below one folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ImageSet:
    """Where a set lies, and what an experiment has to be told of it.

    Attributes
    ----------
    title : str
        Of its results.
    folder : str
        Below the folder of all sets.
    images : dict
        The section ``images`` of its experiment, but for the folder.
    kinds : tuple of str, optional
        Kinds of experiments that it is for; all of them by default.
    """

    title: str
    folder: str
    images: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] | None = None


SETS = {
    # One image of a class cannot be in training and test.
    "cells": ImageSet("single white blood cells", "cells", {"objects": "cells", "exclude_classes": ["basophil"]}),
    "brain": ImageSet("brain MRI", "brain", {"objects": "brains"}),
    "brain-augmented": ImageSet(
        "brain MRI, augmented offline", "brain-augmented", {"objects": "brains", "group": r"(aug_.+)_0_\d+"}
    ),
    # What a reader who sees neither the names nor the copies would do: not a result, but what that does to one.
    "brain-augmented-ungrouped": ImageSet(
        "brain MRI, augmented offline, copies on both sides (a leak)",
        "brain-augmented",
        {"objects": "brains", "copies": "off"},
        ("grid",),
    ),
    "all": ImageSet("ALL smears", "all/Original", {"objects": "cells"}),
}
NETWORKS = "-networks"
"""Ends the name of the folder of networks trained end to end."""


def title_of(folder: str) -> str:
    """What a folder of published results is called on the page; its own name for one of somebody else's."""
    name = folder.removesuffix(NETWORKS)
    title = SETS[name].title if name in SETS else name
    return f"{title}: trained networks" if name != folder else title
