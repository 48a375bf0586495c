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
    kinds : tuple of str, optional
        Kinds of experiments that it is for; all of them by default.
    """

    folder: str
    images: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] | None = None


SETS = {
    # One image of a class cannot be in training and test.
    "cells": ImageSet("cells", {"objects": "cells", "exclude_classes": ["basophil"]}),
    "brain": ImageSet("brain", {"objects": "brains"}),
    "brain-augmented": ImageSet("brain-augmented", {"objects": "brains", "group": r"(aug_.+)_0_\d+"}),
    # What a reader who sees neither the names nor the copies would do: not a result, but what that does to one.
    "brain-augmented-ungrouped": ImageSet("brain-augmented", {"objects": "brains", "copies": "off"}, ("grid",)),
    "all": ImageSet("all/Original", {"objects": "cells"}),
}
