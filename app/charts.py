"""Charts: figures of the report as pictures, in the colours of a light page and of a dark one."""

from __future__ import annotations

import base64
import re
from html import escape

import streamlit as st

from ..reporting.vega import COLOURS, Figure

_IN_THE_DARK = {
    "ink": "#e6edf3", "muted": "#a3b3c1", "line": "#2d3a46", "card": "#0e141a", "mark": "#62bdea", "pale": "#3d5f70",
    "shortcut": "#f5a267", "control": "#e79bc9", "content": "#cbb84a",
}  # fmt: skip


def colours() -> dict[str, str]:
    """Name of `leukobench.reporting.vega.COLOURS` -> colour on the visitor's page."""
    return COLOURS | (_IN_THE_DARK if st.context.theme.type == "dark" else {})


def show(figure: Figure) -> None:
    """Draw a figure of the report; where it has a narrow one, a phone shows that (``style.css``)."""
    shapes = ["wide", "narrow"] if len(figure.svgs) > 1 else ["both"]
    pictures = "".join(
        f'<img class="lb-{shape}" alt="{escape(figure.alt)}" src="{_address(svg)}">'
        for shape, svg in zip(shapes, figure.svgs, strict=True)
    )
    note = f"<figcaption>{escape(figure.note)}</figcaption>" if figure.note else ""
    st.html(f'<figure class="lb-figure">{pictures}{note}</figure>')


def _address(svg: str) -> str:
    """The drawing as an address, in the colours of the page."""
    hues = {COLOURS[name]: colour for name, colour in colours().items()}
    drawing = re.sub("|".join(hues), lambda match: hues[match[0]], svg)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
