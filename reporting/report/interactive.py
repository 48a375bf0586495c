"""Figures on the page: a drawing that needs no script, and what brings it to life where scripts may run.

How a section shows a figure: it returns it in ``Section.figures``, and its HTML contains `figure_html` of it, such as
by the template's ``{{ figure }}``. Of sections with figures `write_report` writes the files of each (``figures/*.svg``
and ``.pdf``) and gives the page `style` once and, as an element of its own, `script` once; a page without figures
carries neither. The script replaces a drawing, when it scrolls into view, by the same one with hints and selectors.
Where it fails, or is not run, the drawing stays as it is. Vega's expressions are interpreted, not compiled, so the
content security policy needs no ``unsafe-eval``.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from ...storage import cache_folder, write_text
from ..vega import COLOURS, Figure
from .section import TEMPLATES, environment

if TYPE_CHECKING:
    from markupsafe import Markup

_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
_NAMED = "window.vegaEmbed = vegaEmbed;"
_SCALE = 1.25
"""A drawing is shown at most so many times as wide as it is."""


def figure_html(figure: Figure) -> Markup:
    """A ``<figure>``: heading, drawing (one for phones where there is one), its specification, note and files.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    Markup
        Every text of the figure is escaped.
    """
    from markupsafe import Markup

    drawings = [_inlined(drawing, f"{figure.name}-{place}-") for place, drawing in enumerate(figure.svgs)]
    shapes = ["wide", "narrow"] if len(drawings) > 1 else ["both"]
    views = [
        {"shape": shape, "svg": Markup(drawing), "width": round(_SCALE * _width(drawing))}
        for shape, drawing in zip(shapes, drawings, strict=True)
    ]
    clear = [spec | {"background": "transparent"} for spec in figure.specs]  # the page has its own, also in the dark
    specs = json.dumps(clear, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)
    template = environment().get_template("figure.html")
    return Markup(template.render(figure=figure, drawings=views, specs=Markup(specs)))


def _inlined(drawing: str, prefix: str) -> str:
    """An SVG as a part of a page: as wide as its column, and with ids that no other drawing has."""
    opening, rest = re.match(r"<svg [^>]*>", drawing), r'\b(id="|url\(#|xlink:href="#)'
    if opening is None:
        raise ValueError(f"no SVG: {drawing[:40]!r}")
    box = re.search(r'viewBox="[^"]*"', opening[0])
    start = f'<svg class="marks" {box[0] if box else ""} aria-hidden="true" preserveAspectRatio="xMinYMin meet">'
    return start + re.sub(rest, rf"\g<1>{prefix}", drawing[opening.end() :])


def _width(drawing: str) -> float:
    box = re.search(r'viewBox="0 0 ([\d.]+) ', drawing)
    return float(box[1]) if box else 400.0


def style() -> str:
    """CSS of all figures: their places, and their colours in the dark, which are those of the page by name."""
    sheet = (TEMPLATES / "figures.css").read_text(encoding="utf-8")
    return sheet + "".join(
        f'figure.vega svg [{kind}="{colour}"] {{ {kind}: var(--{name}); }}\n'
        for name, colour in COLOURS.items()
        for kind in ("fill", "stroke")
    )


def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one text without imports, and what starts them.

    It is made once by vl-convert for each of its versions, and kept in the cache folder.

    Raises
    ------
    StorageError
        The cache folder cannot be written.
    """
    import vl_convert

    kept = cache_folder() / "javascript" / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        write_text(kept, vl_convert.javascript_bundle(_NAMED))
    return kept.read_text(encoding="utf-8") + (TEMPLATES / "figures.js").read_text(encoding="utf-8")
