"""Fixtures of the report's tests: a made-up run, to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leukobench.reporting.report.page import write_report


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "trial"))


@pytest.fixture(scope="session")
def written(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with its report, which no test may change."""
    folder = Path(shutil.copytree(drawn, tmp_path_factory.mktemp("written") / "trial"))
    write_report(folder)
    return folder
