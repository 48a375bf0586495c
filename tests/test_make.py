"""Documents, workflow and scripts name targets of the Makefile that exist."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
CALL = re.compile(r"(?:^|`|run: )make ((?:[a-z][a-z-]*\b(?![=.]) ?)+)", re.MULTILINE)
NAMING = ["README.md", "CONTRIBUTING.md", "Makefile", "Dockerfile", ".ci/run", ".github/workflows/ci.yml"]


@pytest.mark.parametrize(
    "path", [*NAMING, *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
)
def test_every_target_that_is_named_exists(path: str) -> None:
    named = set(chain.from_iterable(match.split() for match in CALL.findall((ROOT / path).read_text(encoding="utf-8"))))
    assert named <= TARGETS


def test_targets_are_seen() -> None:
    assert CALL.findall("`make reference ONLY=documents`\nmake lint types LOCK=x\n  run: make test") == [
        "reference ",
        "lint types ",
        "test",
    ]
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS


def test_jobs_run_every_gate_and_every_kind_of_test() -> None:
    jobs = WORKFLOW["jobs"].values()
    run = {target.split()[0] for job in jobs for target in job["strategy"]["matrix"].get("target", ["test"])}
    assert run <= TARGETS
    gates = CALL.findall((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert set(" ".join(gates).split()) <= run
    assert {target for target in TARGETS if target.startswith("test")} <= run
