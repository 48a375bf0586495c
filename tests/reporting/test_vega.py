"""The engine of figures: one specification gives files that can be read; names are data, whatever they are."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pytest

from leukobench.reporting.vega import (
    COLOURS,
    KIND_COLOURS,
    KIND_SHAPES,
    KINDS,
    PICTURE,
    SERIES,
    Figure,
    chart,
    write_figure,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "a\x00\x1b\udce9\ufffe",
    "]]>\u2028&amp;",
    "datum['x']",
    "{{x}}",
    "=1+1",
    "Früh ♥",
]


def figure(names: list[str]) -> Figure:
    """A point a name."""
    points = chart([{"name": name, "value": np.float64(place)} for place, name in enumerate([*names, "none"])])
    x = alt.X("value:Q", axis=alt.Axis(title=names[0]))
    drawn = points.mark_point().encode(x=x, y="name:N", color="name:N", tooltip="name:N")
    return Figure("trial", names[0], names[0], drawn)


def texts(drawing: str) -> list[str]:
    return [str(element.text) for element in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def test_names_are_drawn_as_they_are() -> None:
    expected = {HOSTILE[0], "a\ufffd\ufffd\ufffd\ufffd", *HOSTILE[2:]}
    assert expected - set(texts(figure(HOSTILE).svgs[0])) == set()


def test_what_is_no_number_is_none_in_the_specification() -> None:
    points = chart([{"x": math.nan, "y": np.int64(3), "z": np.float64("inf")}])
    spec = Figure("a", "b", "c", points.mark_point().encode(x="x:Q")).specs[0]
    assert spec["data"]["values"] == [{"x": None, "y": 3, "z": None}]
    json.dumps(spec, allow_nan=False)


def test_files_are_of_their_kinds(tmp_path: Path) -> None:
    write_figure(replace(figure(["a"]), formats=PICTURE), tmp_path / "new")
    written = {path.suffix: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    assert written.keys() == {".svg", ".pdf", ".png"}
    assert (written[".svg"][:5], written[".pdf"][:5], written[".png"][:4]) == (b"<svg ", b"%PDF-", b"\x89PNG")
    assert b"/Font" in written[".pdf"] or b"BT" in written[".pdf"]


def test_the_same_figure_is_drawn_the_same_every_time() -> None:
    gradient = [
        chart([{"a": place, "b": place} for place in range(3)])
        .mark_line(clip=True)
        .encode(x="a:Q", y="b:Q", color="a:Q")
        for _ in range(3)
    ]
    first, second, third = (Figure("a", "b", "c", one).svgs[0] for one in gradient)
    assert "url(#part-0)" in first
    assert first == second == third


def test_nothing_is_loaded_from_elsewhere() -> None:
    elsewhere = alt.Chart(alt.UrlData(url="https://example.org/a.json")).mark_point().encode(x="x:Q")
    with pytest.raises(ValueError, match=r"example\.org"):
        _ = Figure("a", "b", "c", elsewhere).svgs


def test_each_kind_of_row_has_its_colour_and_shape() -> None:
    assert len(set(KIND_COLOURS)) == len(set(KIND_SHAPES)) == len(KINDS)
    assert set(KIND_COLOURS) <= set(COLOURS.values())
    assert len(set(SERIES)) == 8


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("colour", [*KIND_COLOURS, COLOURS["muted"], COLOURS["ink"]])
def test_colours_of_text_can_be_read(colour: Any) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
