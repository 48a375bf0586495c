"""Fixtures of the tests of figures: the made-up run, opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.runs.finished import FinishedRun


@pytest.fixture(scope="session")
def run(drawn: Path) -> FinishedRun:
    return FinishedRun.open(drawn, ended=False)
