"""Every file and every column that is written is described in docs/columns.yaml, and what is described is written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from leukobench.evaluation.metrics import METRICS

from .conftest import made_once
from .every_output import write_every_output

ROOT = Path(__file__).parents[1]
DESCRIBED = yaml.safe_load((ROOT / "docs" / "columns.yaml").read_text(encoding="utf-8"))
SECTIONS = {section["title"]: section for section in DESCRIBED["sections"]}
CLASSES = ("Benign", "Early", "Pre", "Pro")
FOLDERS = {
    "A run": ["results/sites", "results/split", "results/permuted", "results/others"],
    "The bundle": ["results/sites/model"],
    "Explanations": ["explanations"],
    "An external test": ["results/sites/external/others"],
    "An audit": ["results/images-audit"],
    "Leakage": ["results/leaks-leakage"],
    "A learning curve": ["results/sites-learning-curve"],
    "A comparison": ["same", "several"],
}
"""Title of a section -> folders that `write_every_output` made of its kind."""
FILES = {
    "Predictions": {"FILE": "predictions", "FILE.patients": "predictions.patients"},
    "Features": {"FILE": "features"},
}
NOT_FOR_USERS = {".leukobench", ".lock"}
OF_NETWORKS = {"head_to_head.csv", "learning_curves.csv"}
ELSEWHERE = {"A run": {"checkpoint.json"}}
"""Files that other places hold."""


@pytest.fixture(scope="module")
def written(shared: Path, network_run: Path) -> Path:
    def make(folder: Path) -> None:
        write_every_output(folder)
        for name in OF_NETWORKS:
            shutil.copy(network_run / name, folder / "results" / "sites" / name)

    return made_once(shared / "every output", make)


def columns_of(pattern: str) -> re.Pattern[str]:
    """The columns that the name of a column stands for."""
    metrics = [column for name in METRICS.shipped_names() for column in METRICS.get(name).columns(CLASSES)]
    stands_for = {
        "metric": metrics, "class": CLASSES, "column": ("site", "split"), "level": ("80", "90", "95", "99"),
    }  # fmt: skip
    parts = re.split(r"<(\w+)>", pattern)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [r"\d+" if word == "number" else "|".join(map(re.escape, stands_for[word])) for word in parts[1::2]]
    return re.compile("".join(f"(?:{part})" for part in parts))


def tables_of(title: str, written: Path) -> Iterator[tuple[str, Path]]:
    """Name of a table, and each file of it."""
    for name in SECTIONS[title]["tables"]:
        for folder in FOLDERS.get(title, ()):
            if (written / folder / name).exists():
                yield name, written / folder / name
        if title in FILES:
            for path in written.glob(f"{FILES[title][name]}.*"):
                if path.suffix in (".csv", ".parquet") and path.stem == FILES[title][name]:
                    yield name, path


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.suffix == ".csv" else pd.read_parquet(path)


def is_of(kind: str, values: pd.Series[Any]) -> bool:
    """Whether values are of the type that is described."""
    values = values.dropna()
    if not len(values) or kind == "text or number":
        return True
    if kind == "true or false":
        return bool(values.isin([True, False]).all())
    if kind == "text":
        return all(isinstance(value, str) for value in values)
    numbers = pd.to_numeric(values, errors="coerce")
    whole = kind != "whole number" or bool((numbers == numbers.round()).all())
    return bool(numbers.notna().all()) and not pd.api.types.is_bool_dtype(values) and whole


@pytest.mark.slow
@pytest.mark.parametrize("title", SECTIONS)
def test_every_column_is_described_and_every_described_one_is_written(title: str, written: Path) -> None:
    seen: dict[str, set[str]] = {name: set() for name in SECTIONS[title]["tables"]}
    for name, path in tables_of(title, written):
        described = SECTIONS[title]["tables"][name]["columns"]
        for column, values in read(path).items():
            names = [pattern for pattern in described if columns_of(pattern).fullmatch(str(column))]
            assert names, f"docs/columns.yaml does not describe {column} of {path}"
            kind = (described[names[0]] or DESCRIBED["shared"][names[0]])[0]
            assert is_of(kind, values), f"{column} of {path} is no {kind}: {values.dropna().iloc[0]!r}"
            seen[name].update(names)
    for name, columns in seen.items():
        absent = set(SECTIONS[title]["tables"][name]["columns"]) - columns
        assert not absent, f"no command wrote these columns of {name}: {sorted(absent)}"


@pytest.mark.slow
@pytest.mark.parametrize("title", FOLDERS)
def test_every_file_is_described_and_every_described_one_is_written(title: str, written: Path) -> None:
    section, nested = SECTIONS[title], [path for paths in FOLDERS.values() for path in paths]
    patterns, seen = [*section["tables"], *section["files"]], set(ELSEWHERE.get(title, ()))
    for folder in FOLDERS[title]:
        deeper = [written / path for path in nested if path.startswith(f"{folder}/")]
        for path in sorted((written / folder).rglob("*")):
            if path.is_dir() or path.name in NOT_FOR_USERS or any(path.is_relative_to(one) for one in deeper):
                continue
            name = str(path.relative_to(written / folder))
            names = [pattern for pattern in patterns if fnmatch(name, pattern)]
            assert names, f"docs/columns.yaml does not name {name} of {title.lower()}"
            seen.update(names)
    assert set(patterns) == seen, f"no command wrote {sorted(set(patterns) - seen)}"


def test_every_column_has_a_type_a_unit_and_a_meaning() -> None:
    shared = DESCRIBED["shared"]
    own = [
        item
        for section in SECTIONS.values()
        for table in section["tables"].values()
        for item in table["columns"].items()
    ]
    for column, description in [*shared.items(), *own]:
        assert len(description or shared[column]) == 3, column
        assert (description or shared[column])[2], column
    assert set(shared) <= {column for column, description in own if description is None}


def test_files_that_the_readme_names_are_described() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {name for section in SECTIONS.values() for name in [*section["tables"], *section["files"]]}
    named = set(re.findall(r"`((?:\w+/)?\w+\.(?:csv|parquet|json))`", readme)) - {"predictions.csv"}
    assert len(named) > 5
    assert not {name for name in named if name not in known and f"audit/{name}" not in known}
