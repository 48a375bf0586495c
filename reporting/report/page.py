"""``report.html``: a whole run on one page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import itertools
import logging
from collections.abc import Mapping
from html import escape
from pathlib import Path

from ...runs.finished import FinishedRun
from ...storage import write_text
from ..methods import write_paper
from ..vega import write_figure
from . import interactive
from .glossary import with_links
from .section import TEMPLATES, Section, View, environment
from .sections import FURTHER, GROUPS, SECTIONS

_log = logging.getLogger(__name__)


def write_report(folder: Path) -> Path:
    """Write ``report.html`` from the tables of a run, section by section.

    The page asks for nothing from outside, and its own content security policy forbids that; it is readable without
    JavaScript, which only sorts and filters the leaderboard and gives the figures hints. Each figure is also written to
    ``figures/``, as SVG and PDF, and beside it what a paper takes (`leukobench.reporting.methods`). A section whose
    tables are absent is left out.

    Parameters
    ----------
    folder : Path
        Of a run, of which every table and the answer are written.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ConfigurationError, StorageError
        The run is not complete, a table is damaged, or the page cannot be written.
    """
    target = folder / "report.html"
    run = FinishedRun.open(folder, ended=False)
    write_paper(run)  # its files are linked on the page
    sections = {name: section for name in SECTIONS.names() if (section := _section(name, run))}
    figures = list(itertools.chain.from_iterable(section.figures for section in sections.values()))
    for figure in figures:
        write_figure(figure, folder / "figures")
    html = _render(run, sections, bool(figures))
    write_text(target, html.encode("utf-8", "replace").decode("utf-8"))  # file names need not be valid Unicode
    return target


def _render(run: FinishedRun, sections: Mapping[str, Section], drawn: bool) -> str:
    """The page; with figures (`drawn`) it carries their script and their style."""
    from markupsafe import Markup

    css, own = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    scripts = [own, interactive.script()] if drawn else [own]
    images = run.table("images.parquet")
    views = [_view(name, section) for name, section in sections.items()]
    page = environment().get_template("page.html")
    return with_links(
        page.render(
            run=run,
            images=len(images),
            classes=images["label"].nunique() if len(images) else 0,
            answer=[view for view in views if not view["nav"]],
            groups=_groups([view for view in views if view["nav"]]),
            style=Markup(css + interactive.style() if drawn else css),
            scripts=[Markup(script) for script in scripts],
            script_sources=Markup(" ".join(map(_source, scripts))),
        )
    )


def _source(script: str) -> str:
    """A script as the content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


def _groups(views: list[View]) -> dict[str, list[View]]:
    """Heading -> the folded sections below it."""
    heading = {name: title for title, names in GROUPS.items() for name in names}
    groups: dict[str, list[View]] = {title: [] for title in (*filter(None, GROUPS), FURTHER)}
    for view in views:
        groups[heading.get(view["id"]) or FURTHER].append(view)
    return {title: folded for title, folded in groups.items() if folded}


def _section(name: str, run: FinishedRun) -> Section | None:
    """The section called `name`; one of a plug-in that fails says so, and leaves the others as they are."""
    if SECTIONS.ships(name):
        return SECTIONS.get(name)(run)
    try:
        section = SECTIONS.get(name)(run)
        if section is None:
            return None
        texts = str(section.title), str(section.html)
        return Section(*texts, section.nav, section.figures, str(section.finding))
    except Exception as error:  # a plug-in may hold any mistake
        _log.warning("The report section %s failed: %s: %s", name, type(error).__name__, error)
        return Section(name, f"<p>This section failed: {escape(f'{type(error).__name__}: {error}')}</p>")


def _view(name: str, section: Section) -> View:
    from markupsafe import Markup

    nav = "" if name in GROUPS[""] else section.title if section.nav is None else section.nav
    return {"id": name, "title": section.title, "html": Markup(section.html), "nav": nav, "finding": section.finding}
