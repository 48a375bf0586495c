"""``leukobench audit``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from .calls import call


def test_audit_names_what_it_found_and_where(smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    images = Path(shutil.copytree(smears, tmp_path / "images"))
    first, second, *_ = sorted(images.rglob("*.jpg"))
    shutil.copy(first, first.with_name("synthetic-P01_9998.jpg"))
    shutil.copy(second, images / "Pro" / "synthetic-P99_9999.jpg")
    code, said = call("audit", str(images), "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 0, said
    assert "2 identical" in said
    assert "more than one label" in said
    folder = tmp_path / "out" / "images"
    assert len(pd.read_parquet(folder / "audit" / "copies.parquet")) == 2
    assert (folder / "audit" / "sheets" / "copies-1.png").exists()
    assert len(pd.read_parquet(folder / "images.parquet")) == 98
    code, said = call("audit", str(tmp_path / "absent"), "--results", str(tmp_path / "out"))
    assert code == 2
    assert "absent" in said
