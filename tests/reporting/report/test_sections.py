"""A section of the report from outside: an installed package adds one, and a run draws it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ...plugin.installed import installed

SECTION = '''
from html import escape

from leukobench.reporting.report.section import Section


def batches(run):
    """How many images each fold tests."""
    counts = run.folds.groupby("fold").size()
    rows = "".join(f"<li>fold {fold}: {count} images of {escape(run.name)}</li>" for fold, count in counts.items())
    return Section("Images of each fold", f"<ul>{rows}</ul>")


def nothing(run):
    return None
'''


@pytest.mark.slow
def test_a_package_adds_a_section(experiment: Any, tmp_path: Path) -> None:
    points = {"leukobench.report_sections": {"batches": "fold_sections:batches", "nothing": "fold_sections:nothing"}}
    folder = installed(tmp_path / "site", "fold_sections", SECTION, points)
    small = experiment(selectors=["none"], classifiers=["naive_bayes"])
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump(small.to_mapping()))
    command = [sys.executable, "-m", "leukobench", "run", str(tmp_path / "trial.yaml"), "--workers", "1"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    html = (small.folder / "report.html").read_text(encoding="utf-8")
    assert "<h2>Further sections</h2>" in html
    assert '<summary><h3>Images of each fold</h3></summary>\n<section id="batches">' in html
    assert "<li>fold 0: 32 images of trial</li>" in html
    assert 'id="nothing"' not in html
