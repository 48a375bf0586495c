"""Figures: each is one Vega-Lite specification, from which files, the report's static picture and its live one come.

``Figure`` holds an Altair chart; `svg` and `files` draw it through vl-convert, without a display or a browser. A module
that draws figures builds its charts of `lines`-like rows (lists of dicts) whose keys are its own: names of classes,
files and extractors are values of data, never field names and never parts of an expression.

All figures share one palette (Okabe and Ito's hues, dark enough to be read on white) and one theme. The colours are
those of ``report.css`` by name, so that the page can show the same picture in the dark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..storage import atomic_path

INK, MUTED, LINE, CARD = "#17212b", "#51606d", "#d5dce3", "#ffffff"
MARK, PALE = "#0b6e99", "#9fbccb"
SHORTCUT, CONTROL, CONTENT = "#b4470b", "#a3457f", "#6b5b00"
SECOND, THIRD = "#5b4b9a", "#8a5a00"
"""Colours of a second and a third line beside one that has `MARK`."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6d31", "#666666")
"""Colours of classes, patients and sites, in their order; every ninth begins anew, with another shape."""
COLOURS = {
    "ink": INK, "muted": MUTED, "line": LINE, "card": CARD, "mark": MARK, "pale": PALE,
    "shortcut": SHORTCUT, "control": CONTROL, "content": CONTENT, "second": SECOND, "third": THIRD,
    **{f"series-{place}": colour for place, colour in enumerate(SERIES, 1)},
}  # fmt: skip
"""Name (of the CSS variable, too) -> colour in the light."""
KINDS = ("combination", "shortcut", "content", "control")
"""Kinds of rows of the leaderboard; each has its colour and its shape in every figure."""
KIND_COLOURS = (MARK, SHORTCUT, CONTENT, CONTROL)
KIND_SHAPES = ("circle", "diamond", "triangle-up", "square")
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "triangle-right", "triangle-left")
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
NARROW = 340
"""Width in pixels of a figure that a phone shows at its own size."""
FORMATS = ("svg", "pdf")
PICTURE = (*FORMATS, "png")
"""Formats of files: those of every figure, and those of a figure that is shown by itself."""
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": CARD,
    "font": FONT,
    "padding": 4,
    "axis": {
        "domain": False, "ticks": False, "grid": True, "gridColor": LINE, "gridWidth": 1, "labelColor": MUTED,
        "labelFontSize": 12, "labelPadding": 6, "titleColor": INK, "titleFontSize": 12, "titleFontWeight": "normal",
        "titlePadding": 8, "labelOverlap": True,
    },
    "legend": {
        "labelColor": INK, "labelFontSize": 12, "labelLimit": 300, "orient": "bottom", "symbolSize": 80,
        "columnPadding": 24, "symbolOpacity": 1, "title": None,
        "titleColor": INK, "titleFontSize": 12, "titleFontWeight": "normal",
    },
    "text": {"color": INK, "fontSize": 12},
    "title": {
        "anchor": "start", "color": INK, "fontSize": 13, "fontWeight": "bold", "frame": "group",
        "subtitleColor": MUTED, "subtitleFontSize": 11,
    },
    "header": {"labelColor": INK, "labelFontSize": 12, "title": None},
    "view": {"stroke": None},
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Figure:
    """What is drawn, and how it is called.

    Attributes
    ----------
    name : str
        Of its files, without an ending; letters, digits and ``-``.
    title : str
        Heading above it on the page.
    alt : str
        In words, what the picture shows: read out, and all that is left where pictures are not shown.
    chart : altair chart
        At most about 900 pixels wide.
    narrow : altair chart, optional
        The same for a phone, about `NARROW` pixels wide; without one `chart` has to be narrow enough.
    note : str
        Below it: what the marks mean.
    formats : tuple of str
        Of its files.
    """

    name: str
    title: str
    alt: str
    chart: Any
    narrow: Any = None
    note: str = ""
    formats: tuple[str, ...] = FORMATS

    @cached_property
    def specs(self) -> tuple[dict[str, Any], ...]:
        """Specifications with the theme: that of `chart`, and of `narrow` where there is one."""
        charts = [self.chart] if self.narrow is None else [self.chart, self.narrow]
        return tuple(specification(chart) for chart in charts)

    @cached_property
    def svgs(self) -> tuple[str, ...]:
        """The drawings of `specs`."""
        return tuple(svg(spec) for spec in self.specs)


def specification(chart: Any) -> dict[str, Any]:
    """The Vega-Lite specification of an Altair chart, with the theme of all figures and nothing of Altair's own."""
    spec: dict[str, Any] = _plain(chart.to_dict(validate=False))
    spec.pop("$schema", None)
    return spec | {"config": _CONFIG}


def _plain(value: Any) -> Any:
    """`value` as JSON and XML can hold it: names of files need not be valid Unicode, and NaN is no number there."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def svg(spec: dict[str, Any]) -> str:
    """Draw a specification, which may load nothing; the same one gives the same drawing every time."""
    import vl_convert

    drawing = str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawing))  # Vega counts them from the start of the process
    for place, own in enumerate(ids):
        drawing = re.sub(rf'(\bid="|url\(#){re.escape(own)}(["\)])', rf"\g<1>part-{place}\g<2>", drawing)
    return drawing


def chart(values: Sequence[dict[str, Any]]) -> Any:
    """An Altair chart of rows, which stand in its specification; as `Any`, since marks are given as mappings here."""
    import altair

    return altair.Chart(altair.Data(values=list(values)))


def layered(layers: Sequence[Any]) -> Any:
    """Charts over one another, the first lowest."""
    import altair

    return altair.layer(*layers)


def write_figure(figure: Figure, folder: Path) -> None:
    """Write ``<name>.svg`` and so on, of the wide chart; each file is whole or absent.

    Parameters
    ----------
    figure : Figure
    folder : Path

    Raises
    ------
    StorageError
    """
    for ending in figure.formats:
        with atomic_path(folder / f"{figure.name}.{ending}") as temporary:
            temporary.write_bytes(_encoded(figure.svgs[0], ending))


def _encoded(drawing: str, ending: str) -> bytes:
    import vl_convert

    if ending == "svg":
        return drawing.encode()
    return bytes(vl_convert.svg_to_pdf(drawing) if ending == "pdf" else vl_convert.svg_to_png(drawing, scale=1.5))
