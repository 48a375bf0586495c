"""The words of the report, in a sentence each."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ..glossary import TERMS, anchor
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """The same for every run."""
    words = [{"word": word, "meaning": TERMS[word], "anchor": anchor(word)} for word in sorted(TERMS)]
    return Section("Glossary", fragment("glossary", words=words), finding=f"{len(words)} words in a sentence each")
