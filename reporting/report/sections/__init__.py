"""The sections of the report, in its order: each has a file here, a template of its name, and a line below."""

from __future__ import annotations

from ....registry import Registry

SECTIONS = Registry("report_section")
"""Name (the section's anchor) -> a callable that makes a `Section` of a `FinishedRun`, or None to be left out."""

GROUPS: dict[str, tuple[str, ...]] = {
    "": ("verdicts", "winner", "intervals"),
    "Which combination": ("answer", "leaderboard", "heat", "costs", "networks", "stability"),
    "What it gets right and wrong": (
        "classes",
        "confusion",
        "curves",
        "calibration",
        "patients",
        "failures",
        "worst",
        "suspects",
    ),
    "Whether it holds": ("views", "feature_map", "sites", "given_test", "external", "audit", "ledger"),
    "How it was done": ("protocol", "methods", "provenance", "glossary", "notes"),
}
"""Heading -> the sections below it. Those without a heading are the answer, and are never folded."""
FURTHER = "Further sections"
"""Heading of the sections of plug-ins."""

for _name in (name for names in GROUPS.values() for name in names):
    SECTIONS.add(_name, f"{__name__}.{_name}:section")
