"""Tables as text: for Markdown, for LaTeX (booktabs), and as comma-separated values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence

Row = Sequence[str]
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


def markdown(heads: Row, rows: Sequence[Row]) -> str:
    """A table of GitHub's Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(in_markdown(cell) for cell in line)} |" for line in lines)


def latex(heads: Row, rows: Sequence[Row]) -> str:
    """A ``tabular`` with the rules of the package booktabs."""

    def line(cells: Row) -> str:
        return " & ".join(map(in_latex, cells)) + r" \\"

    body = [r"\toprule", line(heads), r"\midrule", *map(line, rows), r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{'l' * len(heads)}}}", *body, r"\end{tabular}"])


def comma_separated(heads: Row, rows: Sequence[Row]) -> str:
    """Comma-separated values."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([heads, *rows])
    return stream.getvalue().rstrip("\n")


def in_latex(text: str) -> str:
    """Text whose signs mean nothing to LaTeX."""
    return re.sub(r"[\\~^&%$#_{}]", lambda sign: _LATEX[sign[0]], text)


def in_markdown(cell: str) -> str:
    """Text whose signs mean nothing to Markdown."""
    return re.sub(r"([|\\`*_<\[])", r"\\\1", cell)


FORMATS: dict[str, Callable[[Row, Sequence[Row]], str]] = {
    "markdown": markdown,
    "latex": latex,
    "csv": comma_separated,
}
"""Name of a format -> what writes a table in it."""
