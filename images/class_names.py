"""Class names: two that differ in writing alone are probably one class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def twins(names: Iterable[str]) -> list[list[str]]:
    """Group names that differ only by case, blanks, hyphens, the form of their Unicode, or as 1 and 1.0 do."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(_plain(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if re.fullmatch(r"\s*[+-]?\d+([.,]\d*)?\s*", text):
        return repr(float(text.replace(",", ".")))
    return re.sub(r"[\W_]+", " ", text).strip() or text
