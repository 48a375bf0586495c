"""What differs between the experiments of two runs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ..config.choice import Choice
from ..runs.finished import FinishedRun


def what_changed(first: FinishedRun, second: FinishedRun) -> Iterator[str]:
    """Images that one run alone has, then each key and version that differs, in words."""
    one, other = set(first.images["image_id"]), set(second.images["image_id"])
    if one != other:
        yield f"images: {len(one - other):,} are in the first alone, {len(other - one):,} in the second alone"
    before, after = (flat(run.experiment_file) for run in (first, second))
    for key in [*before, *(key for key in after if key not in before)]:
        if before.get(key) != after.get(key) and not key.startswith(
            ("name", "results", "resolved.images", "images.folder")
        ):
            kind = "version of " + key.removeprefix("resolved.software.") if "resolved.software" in key else key
            if not key.startswith("resolved.") or "software" in key:
                yield f"{kind}: {_short(before.get(key))} to {_short(after.get(key))}"


def flat(mapping: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Keys of a nested mapping joined by dots, such as ``evaluation.folds``, and their values."""
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        place = f"{above}{key}"
        values |= flat(value, f"{place}.") if isinstance(value, Mapping) and value else {place: value}
    return values


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_name, value))
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _name(choice: Any) -> str:
    """Of a method as tables name it; anything else as it is written."""
    try:
        return Choice.model_validate(choice).label
    except ValidationError:
        return str(choice)
