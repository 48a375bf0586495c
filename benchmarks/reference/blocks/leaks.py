"""How much each leak adds to a score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any


def leakage(reference: Path, name: str = "all") -> Iterator[str]:
    """Mean inflation of each leak with 200 images, true labels and permuted ones."""
    import pandas as pd

    table = pd.read_csv(reference / name / "leakage.csv")
    size = next(value for value in table["size"] if value != "all")
    table = table[table["size"] == size]
    yield f"| points that a leak adds, {size} images | true labels [95 % interval] | permuted labels [95 % interval] |"
    yield "|---|---|---|"
    for protocol, rows in table.groupby("protocol", sort=False):
        sides = {row["labels"]: row for row in rows.to_dict("records")}
        cells = [_points(sides.get(labels)) for labels in ("as they are", "permuted")]
        yield f"| {protocol} | {' | '.join(cells)} |"


def _points(row: dict[Any, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['inflation']:+.1f} [{row['low']:+.1f} to {row['high']:+.1f}]"
