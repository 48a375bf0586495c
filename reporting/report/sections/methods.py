"""A methods paragraph to copy, and how to cite what it names."""

from __future__ import annotations

import re

from ....runs.finished import FinishedRun
from ...methods import methods_sentences
from ...references import bibtex
from ..section import Section, fragment

_CITATION = re.compile(r" ?\[@([\w-]+)\]")
_FILES = ("methods.md", "methods.tex", "methods.bib", "tables/leaderboard.md", "tables/leaderboard.tex")


def section(run: FinishedRun) -> Section | None:
    """None where nothing was ranked."""
    if not run.ranked or run.metric not in run.leaderboard:
        return None
    text = " ".join(methods_sentences(run))
    keys = list(dict.fromkeys(_CITATION.findall(text)))
    numbered = _CITATION.sub(lambda match: f" [{keys.index(match[1]) + 1}]", text)
    files = [name for name in _FILES if (run.folder / name).is_file()]
    html = fragment("methods", text=numbered, entries=bibtex(keys), files=files)
    finding = f"a paragraph to copy, and {len(keys)} references as BibTeX"
    return Section("Methods, and how to cite", html, nav="Methods", finding=finding)
