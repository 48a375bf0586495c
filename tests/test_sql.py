"""The SQL of the documents runs in DuckDB, over the files of a run."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if "```sql" in path.read_text("utf-8")
]


def queries(path: Path) -> list[str]:
    blocks = re.findall(r"```sql\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    return [query for block in blocks for query in block.split(";") if query.strip()]


def test_there_is_sql_in_the_documents() -> None:
    assert {path.name for path in DOCUMENTS} >= {"tracking.md"}
    assert len(queries(ROOT / "docs" / "tracking.md")) == 3


@pytest.mark.mlflow
@pytest.mark.skipif(find_spec("duckdb") is None, reason="DuckDB is not installed here: make test-mlflow")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_query_finds_rows(path: Path, finished_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    for name in ("quickstart", "other"):
        shutil.copytree(finished_run.folder, tmp_path / "results" / name)
    (tmp_path / "results" / "reference").symlink_to(ROOT / "results" / "reference")
    monkeypatch.chdir(tmp_path)
    for query in queries(path):
        assert duckdb.sql(query).fetchall(), query
