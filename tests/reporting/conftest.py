"""Fixtures of the tests of figures and of the report: a made-up run, drawn once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .report.drawn_run import draw_run


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_run(tmp_path_factory.mktemp("results") / "trial")
