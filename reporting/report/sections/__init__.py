"""The sections of the report, in its order: each has a file here, a template of its name, and a line below."""

from __future__ import annotations

from ....registry import Registry

SECTIONS = Registry("report_section")
"""Name (the section's anchor) -> a callable that makes a `Section` of a `FinishedRun`, or None to be left out."""

for _name in (
    "answer",
    "verdicts",
    "protocol",
    "winner",
    "intervals",
    "leaderboard",
    "given_test",
    "sites",
    "external",
    "views",
    "heat",
    "confusion",
    "classes",
    "calibration",
    "costs",
    "networks",
    "patients",
    "failures",
    "suspects",
    "stability",
    "audit",
    "ledger",
    "provenance",
    "notes",
):
    SECTIONS.add(_name, f"{__name__}.{_name}:section")
