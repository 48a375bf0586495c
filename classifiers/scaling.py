"""Scaling as a parameter of the classifier: it helps some and harms others."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SCALED = ("sklearn.pipeline.Pipeline", "sklearn.preprocessing._data.StandardScaler")
"""What a bundle holds of any classifier that may be scaled, beside the classifier."""


def add_scaling(classifier: Any, scale: bool) -> Any:
    """Return `classifier`, with standardisation before it if `scale` is true.

    Raises
    ------
    TypeError
        `scale` is not a bool.
    """
    if not isinstance(scale, bool):
        raise TypeError(f"scale must be true or false. Received: {scale!r}")
    return make_pipeline(StandardScaler(), classifier) if scale else classifier
