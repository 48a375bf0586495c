"""A metric's name stands in the table of metrics and nowhere else: whoever needs one reads the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukobench.evaluation.metrics import METRICS

ROOT = Path(__file__).parents[2]
TABLE = "evaluation/metrics.py"
NOT_SCANNED = {"tests", "benchmarks", "build", "docs", "results", ".venv"}
EXCEPTIONS = {
    ("classifiers/cnns", "accuracy"): "Keras' own name of what a network is compiled with",
    ("evaluation/statistics/tables.py", "accuracy"): "a column of patients.parquet and reliability.parquet",
    ("reporting/report/sections/patients.py", "accuracy"): "that column of patients.parquet",
    ("reporting/figures/patients.py", "accuracy"): "that column of patients.parquet",
    ("reporting/figures/calibration.py", "accuracy"): "that column of reliability.parquet",
    ("app/combination.py", "accuracy"): "that column of reliability.parquet",
    ("config/experiment.py", "auroc"): "an example of what a key may hold",
} | {
    ("studies/plain_scores.py", name): "computes each metric once more, by code that shares nothing with the table"
    for name in METRICS.shipped_names()
}
"""Path, or how it begins, and name -> why it stands there."""


def strings(tree: ast.AST) -> Iterator[str]:
    """String constants, those in f-strings and keywords of ``dict(...)`` included; docstrings are none of these."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def named(source: str) -> set[str]:
    return set(METRICS.shipped_names()) & {text.partition("[")[0].removesuffix("_low").removesuffix("_high")
                                     for text in strings(ast.parse(source))}  # fmt: skip


def allowed(path: str, name: str) -> bool:
    return any(path.startswith(start) and name == other for start, other in EXCEPTIONS)


SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if not set(path.relative_to(ROOT).parts) & NOT_SCANNED]


def test_no_metric_is_named_outside_the_table() -> None:
    paths = {str(path.relative_to(ROOT)) for path in SOURCES} - {TABLE}
    assert not [(path, name) for path in paths for name in named((ROOT / path).read_text()) if not allowed(path, name)]


@pytest.mark.parametrize("source", ['x = ("mcc", 1)', 'f(x["auroc_low"])', 'y = "sensitivity[A]"', "dict(ece=1)"])
def test_a_name_is_seen(source: str) -> None:
    assert named(source)


def test_templates_name_no_metric() -> None:
    for path in sorted((ROOT / "reporting").rglob("*.html")):
        words = set(path.read_text().replace('"', " ").replace("'", " ").replace(".", " ").split())
        assert not words & {"f1_macro", "f1_weighted", "balanced_accuracy", "mcc", "brier", "log_loss"}, path
