"""Fixtures of the report's tests: a made-up run, drawn once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .drawn_run import draw_run


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_run(tmp_path_factory.mktemp("results") / "trial")


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "trial"))
