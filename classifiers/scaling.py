"""Scaling as a choice of the classifier: it helps some and spoils others."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def scaled(classifier: Any, scale: bool) -> Any:
    """`classifier`, after standardised features where `scale` says so.

    Raises
    ------
    TypeError
        `scale` is no bool.
    """
    if not isinstance(scale, bool):
        raise TypeError(f"scale must be true or false. Received: {scale!r}")
    return make_pipeline(StandardScaler(), classifier) if scale else classifier
