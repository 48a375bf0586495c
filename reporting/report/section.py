"""A section of the report, and the templates that it is drawn with."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluation.metrics import metric_of
from .numbers import PERCENT, share_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from ..vega import Figure

TEMPLATES = Path(__file__).parent / "templates"
View = dict[str, Any]
"""What a template shows: name -> text, number, chart, or more of them."""


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes
    ----------
    title : str
        Its heading, plain text; with '' the section is `html` alone, without a frame.
    html : str
        Content below the heading. It is taken as it is: escape what it shows (`html.escape`); the page runs no
        script of it and loads nothing from outside.
    nav : str, optional
        Its line in the contents; the title by default. A section with '' is not folded, and stands above them.
    figures : tuple of Figure
        That `html` shows (`leukobench.reporting.report.interactive.figure_html`); their files are written, too.
    finding : str
        What it found in a line, plain text, which is read while the section is folded.
    """

    title: str
    html: str
    nav: str | None = None
    figures: tuple[Figure, ...] = ()
    finding: str = ""


def fragment(name: str, **values: Any) -> Markup:
    """The template ``sections/<name>.html`` with `values`, which are escaped."""
    from markupsafe import Markup

    return Markup(environment().get_template(f"sections/{name}.html").render(values))


@cache
def environment() -> Environment:
    """Of all templates of the report."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"seconds": _seconds, "decimals": _decimals, "narrow": _narrow, "soft": _soft}
    templates.filters |= {"metric": _metric, "percent": share_text}
    return templates


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "\N{EN DASH}"
    return f"{1000 * value:.2g} ms" if value < 0.0995 else f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"


def _decimals(value: float, digits: int = 2) -> str:
    return "\N{EN DASH}" if math.isnan(value) else f"{value:,.{digits}f}"


def _narrow(name: str) -> Markup:
    """A name that may break after each underscore, for columns of a heat map."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(name.split("_"))


def _metric(name: str) -> str:
    return metric_of(name).title


def _soft(text: str) -> Markup:
    """Long names may break after a sign or an underscore, and numbers stay with their percent sign."""
    from markupsafe import Markup

    return Markup("<wbr>").join(re.split(r"(?<=\S[(,=_\N{MIDDLE DOT}])(?=\S)", text.replace(" %", PERCENT)))
