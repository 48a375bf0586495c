"""Limits of a fit, and quantities as people write them: ``4GB``, ``30m``."""

from __future__ import annotations

import math
import re
from typing import Any

from pydantic import Field, field_validator

from ..machine import Limits
from .choice import Strict

_BYTES = {"": 1.0, "B": 1.0} | {f"{k}B": 1000.0**n for n, k in enumerate("KMGT", 1)}
_BYTES |= {f"{k}IB": 1024.0**n for n, k in enumerate("KMGT", 1)} | {k: 1000.0**n for n, k in enumerate("KMGT", 1)}
_SECONDS = {"": 1.0, "S": 1.0, "M": 60.0, "MIN": 60.0, "H": 3600.0, "D": 86400.0}
_QUANTITY = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]{0,3})\s*")


class CellLimits(Strict):
    """What the fit of a combination in a fold may take; it decides no number.

    Attributes
    ----------
    seconds : float
        Most seconds for the selector, and for each classifier with what tunes it.
    memory : int
        Most memory that the process may hold: bytes, or a text such as ``4GB``.
    """

    seconds: float | None = Field(default=None, gt=0, examples=[600])
    memory: int | None = Field(default=None, examples=["4GB"])

    @field_validator("memory", mode="before")
    @classmethod
    def _bytes(cls, value: Any) -> Any:
        return None if value is None else bytes_of(value)

    def until(self, deadline: float = math.inf) -> Limits:
        """The same for an executor, with a deadline on the clock of `time.monotonic`."""
        return Limits(self.seconds or math.inf, self.memory or math.inf, deadline)


def bytes_of(value: Any) -> int:
    """Bytes: a number, or one with a unit, such as ``4GB``, ``500 MB``, ``4GiB``.

    Raises
    ------
    ValueError
    """
    return int(_quantity(value, _BYTES, "4GB or 500MB"))


def seconds_of(value: Any) -> float:
    """Seconds: a number, or one with a unit, such as ``90s``, ``30m``, ``2h``.

    Raises
    ------
    ValueError
    """
    return _quantity(value, _SECONDS, "90s, 30m or 2h")


def _quantity(value: Any, units: dict[str, float], example: str) -> float:
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value))
    factor = units.get(match[2].upper()) if match else None
    if not match or factor is None or not float(match[1]):
        raise ValueError(f"not a quantity above 0, such as {example}")
    return float(match[1]) * factor
