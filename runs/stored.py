"""Parts of ``answer.json``: objects that are read from JSON and written as JSON with the same keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any, Self


class Stored:
    """Read from, and written as, a JSON object with the same keys."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From a JSON object; other keys than the attributes are passed over, and NaN is None.

        Raises
        ------
        KeyError, TypeError
            A key of an attribute without a default is absent, or this is no JSON object.
        """
        names = [field.name for field in fields(cls) if field.default is MISSING or field.name in stored]  # type: ignore[arg-type]
        return cls(**{name: plain(stored[name]) for name in names})

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return asdict(self)  # type: ignore[call-overload]


def plain(value: Any) -> Any:
    """A JSON value as an attribute: lists are tuples, and NaN is None."""
    if isinstance(value, list):
        return tuple(value)
    return None if isinstance(value, float) and math.isnan(value) else value
