"""Colours of both themes, and pieces of HTML that several pages draw; the rest of the look is ``style.css``."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ..errors import LeukobenchError
from ..evaluation.combination_names import short_name
from ..reporting.report.numbers import title_of
from ..reporting.report.section import View

COMBINATION = "combination"
"""Kind of the rows of a leaderboard that are candidates."""
_MARKS = r"\`*_{}[]()<>#+-.!|~$:&="
_LIGHT = {
    "primaryColor": "#0b6e99",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f2f5f8",
    "textColor": "#17212b",
    "borderColor": "#d5dce3",
    "linkColor": "#0b6e99",
    "chartCategoricalColors": ["#0b6e99", "#b4470b", "#5b4b9a", "#0f6b4f", "#8a6d00", "#51606d"],
}
_DARK = {
    "primaryColor": "#217ba7",
    "backgroundColor": "#0e141a",
    "secondaryBackgroundColor": "#18222c",
    "textColor": "#e6edf3",
    "borderColor": "#2d3a46",
    "linkColor": "#62bdea",
    "chartCategoricalColors": ["#62bdea", "#f5a267", "#b3a5ef", "#74d9b0", "#e3c65b", "#a3b3c1"],
}
THEME: dict[str, Any] = {
    "theme.baseRadius": "0.4rem",
    "theme.headingFontSizes": ["1.9rem", "1.2rem", "1.1rem", "1rem", "1rem", "1rem"],
    "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    "theme.showWidgetBorder": True,
    **{f"theme.light.{key}": value for key, value in _LIGHT.items()},
    **{f"theme.dark.{key}": value for key, value in _DARK.items()},
}
"""Options of Streamlit; which of the two is shown follows the browser's preference."""


class Cell(str):
    """HTML of a ready ``<td>`` or ``<th>``; any other text of a table is escaped."""

    __slots__ = ()


def tab_title(*parts: str) -> None:
    """Name the browser's tab after the page and what it shows."""
    import streamlit as st

    st.set_page_config(page_title=" · ".join([*parts, "leukobench"]))


def note(state: str, word: str, text: str = "") -> str:
    """A box that says something good, or a warning; `state` is good, note, warn or bad."""
    return f'<div class="lb-note lb-{escape(state)}"><strong>{escape(word)}</strong> {escape(text)}</div>'


def notes(boxes: Iterable[tuple[str, str, str]]) -> str:
    """Boxes of `note`, one below the other."""
    return f'<div class="lb-notes">{"".join(note(*box) for box in boxes)}</div>'


def boxes(verdicts: Iterable[View]) -> str:
    """The report's verdicts, such as those on shortcuts, patients and copies."""
    return notes((box["state"], f"{box['about']}: {box['word']}.", box["text"]) for box in verdicts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, heads: int = 1, words: int = 0) -> str:
    """A table of texts and `Cell`; the first `heads` of a row are its header, the first `words` are no numbers."""
    top = "".join(
        f'<th scope="col" class="{"lb-name" if place < max(heads, words) else ""}">{escape(text)}</th>'
        for place, text in enumerate(head)
    )
    body = "".join(
        f"<tr>{''.join(_cell(text, place < heads, place < words) for place, text in enumerate(row))}</tr>"
        for row in rows
    )
    pinned = " lb-pinned" if heads == 1 else ""
    return (
        f'<p class="lb-caption">{escape(caption)}</p>'
        f'<div class="lb-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="lb-table{pinned}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(text: str, head: bool, word: bool) -> str:
    if isinstance(text, Cell):
        return text
    if head:
        return f'<th scope="row">{escape(text)}</th>'
    return f'<td class="lb-word">{escape(text)}</td>' if word else f"<td>{escape(text)}</td>"


def number(text: str, small: str) -> Cell:
    """A cell with a number, and a smaller line below it."""
    return Cell(f"<td>{escape(text)}<small>{escape(small)}</small></td>")


def word_cell(text: str, small: str, kind: str = "") -> Cell:
    """A cell with words, and a smaller line below them; `kind` is a class of the style sheet."""
    return Cell(f'<td class="lb-word {escape(kind)}">{escape(text)}<small>{escape(small)}</small></td>')


def name_cell(names: Sequence[str], kind: str) -> Cell:
    """The head of a row of a leaderboard: short names, and what the row is where it is no combination."""
    full, tag = title_of(names), ""
    words = title_of([short_name(one) for one in names])
    if kind != COMBINATION:
        tag = f'<span class="lb-kind lb-{escape(kind.replace(" ", "-"))}">{escape(kind)}</span> '
        words = words.removeprefix(f"{kind}: ")
    return Cell(f'<th scope="row" class="lb-combination" title="{escape(full)}">{tag}{escape(words)}</th>')


def heat_cell(text: str, heat: float, kind: str = "", small: str = "") -> Cell:
    """A cell whose colour is as deep as `heat` (0 to 100) says; the text says the same."""
    below = f"<small>{escape(small)}</small>" if small else ""
    return Cell(f'<td class="lb-heat {kind}" style="--t:{heat}">{escape(text)}{below}</td>')


def figures(pictures: Iterable[tuple[bytes | None, str, str]]) -> str:
    """A grid of pictures, each with its name (the alternative text) and a line below, both plain text."""
    drawn = "".join(
        f"<figure>{_picture(data, name)}<figcaption><b>{escape(name)}</b>{escape(text)}</figcaption></figure>"
        for data, name, text in pictures
    )
    return f'<div class="lb-grid">{drawn}</div>'


def _picture(data: bytes | None, name: str) -> str:
    if data is None:
        return '<div class="lb-nothing">image not available</div>'
    return f'<img src="{as_url(data)}" alt="{escape(name)}" loading="lazy">'


def as_url(data: bytes) -> str:
    """JPEG or PNG bytes as the address of a picture that is part of the page."""
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values as a description list."""
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs.items())
    return f'<dl class="lb-facts">{listed}</dl>'


def in_words(error: LeukobenchError) -> str:
    """An error as Markdown that shows its text as it stands."""
    parts = [error.what, f"Expected: {error.expected}" if error.expected else "", error.fix]
    return "\n\n".join(plain(part) for part in parts if part)


def plain(text: str) -> str:
    """`text` as Markdown in which nothing is a mark."""
    return "".join(f"\\{sign}" if sign in _MARKS else sign for sign in text)
