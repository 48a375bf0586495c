"""The critical-difference diagram of Demsar's own example."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from leukobench.reporting.critical_difference import critical_difference_figure, draw_critical_difference

from .figures.scene import marks, outside

RANKS = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
"""Demsar (2006), table 6: mean ranks on 14 data sets."""


def bars(ranks: dict[str, float], difference: float) -> list[tuple[float, float]]:
    """Where the bars begin and end that join methods."""
    layers = critical_difference_figure(ranks, difference, "ranks").specs[0]["layer"]
    rows = {layer["name"]: layer["data"]["values"] for layer in layers if "name" in layer}
    scale = rows["difference"][0]
    assert scale["x2"] - scale["x"] == pytest.approx(difference)
    return [(row["x"], row["x2"]) for row in rows["bars"]]


def test_at_five_percent_nothing_is_told_apart() -> None:
    (bar,) = bars(RANKS, 1.25)
    assert bar == pytest.approx((1.964, 3.143), abs=0.03)


def test_at_ten_percent_plain_trees_are_worse_than_two_others() -> None:
    first, second = bars(RANKS, 1.12)
    assert first == pytest.approx((1.964, 2.893), abs=0.03)
    assert second == pytest.approx((2.893, 3.143), abs=0.03)


def test_every_name_is_written_with_its_rank_the_better_half_on_the_left() -> None:
    figure = critical_difference_figure(RANKS, 1.25, "ranks")
    texts = {item["text"]: item["align"] for kind, item, _, _ in marks(figure.specs[0]) if kind == "text"}
    assert texts["C4.5+m+cf  1.96"] == texts["C4.5+m  2.00"] == "right"
    assert texts["2.89  C4.5+cf"] == texts["3.14  C4.5"] == "left"
    assert not outside(figure.specs[0])


def test_the_file_is_a_picture_whatever_the_names(tmp_path: Path) -> None:
    target = tmp_path / "new" / "ranks.png"
    draw_critical_difference({"svm_$rbf": 1.2, "<b>_^{": 1.8}, 3.0, target)
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert image.width > 600
    assert {path.name for path in target.parent.iterdir()} == {"ranks.png", "ranks.svg", "ranks.pdf"}
