"""The sets of images whose results are published, as they lie below one folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ImageSet:
    """Where a set lies, and what an experiment has to be told of it.

    Attributes
    ----------
    folder : str
        Below the folder of all sets.
    images : dict
        The section ``images`` of its experiment, but for the folder.
    """

    folder: str
    images: dict[str, Any] = field(default_factory=dict)


SETS = {
    "all": ImageSet("all/Original"),
    "cells": ImageSet("cells", {"objects": "cells"}),
    "brain": ImageSet("brain"),
    "brain-augmented": ImageSet("brain-augmented", {"group": r"aug_(.+)_0_\d+"}),
}
