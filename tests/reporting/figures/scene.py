"""What a drawing holds, and where: read from Vega's scene graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import vl_convert

PLOTTED = {"symbol", "rule", "rect", "line", "area", "arc", "trail"}


def marks(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], float, float]]:
    """Kind and item of each mark within axes, and the width and height of its axes."""
    scene = vl_convert.vegalite_to_scenegraph(spec)["scenegraph"]
    yield from _within(scene, 0.0, 0.0)


def _within(mark: dict[str, Any], width: float, height: float) -> Iterator[tuple[str, dict[str, Any], float, float]]:
    kind = mark["marktype"]
    for item in mark["items"]:
        if kind == "group":
            for child in item.get("items", []):
                if str(child.get("role", "")).startswith(("mark", "scope", "frame")):
                    yield from _within(child, item.get("width", width), item.get("height", height))
        elif mark.get("role") == "mark":
            yield kind, item, width, height


def outside(spec: dict[str, Any], slack: float = 1.0) -> list[tuple[str, dict[str, Any]]]:
    """Marks that are plotted beyond their axes."""
    beyond = []
    for kind, item, width, height in marks(spec):
        xs = [item.get("x", 0), item.get("x2", item.get("x", 0) + item.get("width", 0))]
        ys = [item.get("y", 0), item.get("y2", item.get("y", 0) + item.get("height", 0))]
        inside = min(xs) >= -slack and max(xs) <= width + slack and min(ys) >= -slack and max(ys) <= height + slack
        if kind in PLOTTED and not inside:
            beyond.append((kind, item))
    return beyond
