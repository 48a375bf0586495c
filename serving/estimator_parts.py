"""The parts of a fitted estimator: all objects that it holds, however deep."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

_PLAIN = (str, bytes, bytearray, int, float, bool, complex, type(None), type, np.generic, np.dtype, ModuleType)
"""Also modules, which are no part of what refers to them: they hold everything that is imported."""


def parts_of(estimator: Any) -> Iterator[Any]:
    """A fitted estimator and every object inside it that is no plain data, each once; the outermost first."""
    waiting, seen = [estimator], {}
    while waiting:
        part = waiting.pop()
        if isinstance(part, _PLAIN) or id(part) in seen:
            continue
        seen[id(part)] = part  # kept, or another object could get its number
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple | set | frozenset):
            waiting.extend(part)
        elif isinstance(part, np.ndarray):
            waiting.extend(part.ravel().tolist() if part.dtype == object else ())
        else:
            yield part
            waiting.extend(vars(part).values() if hasattr(part, "__dict__") else ())
