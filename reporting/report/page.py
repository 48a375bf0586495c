"""``report.html``: a whole run on one page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...storage import write_text
from . import audit as report_audit
from . import details as report_details
from . import networks as report_networks
from . import results as report_results
from .results import PERCENT
from .tables import RunTables

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(folder: Path) -> Path:
    """Write ``report.html`` from the tables of a run.

    The page asks for nothing from outside, and its own content security policy forbids that; it is readable without
    JavaScript, which only sorts and filters the leaderboard. A section whose tables are absent is left out.

    Parameters
    ----------
    folder : Path
        Of a run; holds at least ``leaderboard.csv``.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StorageError
        There is no leaderboard, a table is damaged, or the page cannot be written.
    """
    target = folder / "report.html"
    html = _render(RunTables.of(folder))
    write_text(target, html.encode("utf-8", "replace").decode("utf-8"))  # file names need not be valid Unicode
    return target


def _render(run: RunTables) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": _seconds, "decimals": _decimals, "words": _words, "soft": _soft}
    style, script = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    own = {"style": Markup(style), "script": Markup(script), "script_hash": known}
    return environment.get_template("report.html").render(own | _content(run))


def _content(run: RunTables) -> dict[str, Any]:
    """All that the page shows; None or nothing where a section is left out."""
    return {
        "name": run.name,
        "written": run.written,
        "metric": run.metric,
        "images": report_audit.images(run),
        "sentences": run.answer.get("sentences") or [],
        "protocol": run.answer.get("protocol") or [],
        "verdicts": report_results.verdicts(run),
        "winner": report_results.winner(run),
        "leaderboard": report_results.leaderboard(run),
        "heat": report_results.heat(run),
        "costs": report_results.costs(run),
        "networks": report_networks.head_to_head(run),
        "curves": report_networks.curves(run),
        "confusions": report_details.confusions(run),
        "classes": report_details.classes(run),
        "reliabilities": report_details.reliabilities(run),
        "patients": report_details.patients(run),
        "stability": report_details.stability(run),
        "differences": report_audit.differences(run),
        "copies": report_audit.copies(run),
        "ledger": report_audit.ledger(run),
        "made": report_audit.made(run),
    }


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "\N{EN DASH}"
    return f"{1000 * value:.2g} ms" if value < 0.0995 else f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"


def _decimals(value: float, digits: int = 2) -> str:
    return "\N{EN DASH}" if math.isnan(value) else f"{value:,.{digits}f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _soft(text: str) -> Markup:
    """Long names may break after a sign, and numbers stay with their percent sign."""
    from markupsafe import Markup

    return Markup("<wbr>").join(re.split(r"(?<=[(,=])", text.replace(" %", PERCENT)))
