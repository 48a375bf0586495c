"""A metric from outside: one entry point, and it is wherever metrics are."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError
from leukobench.evaluation.metrics import METRICS, metric_of, metrics
from leukobench.evaluation.scorer import Scorer
from leukobench.plugins.places import code_of
from leukobench.steps.check_names import check_names

from ..conftest import PLUGIN

SOURCE = """
    import numpy as np
    from leukobench.evaluation.metric import FromCounts, FromProbabilities, Metric, ratio

    def kappa(counts):
        total = counts.sum(axis=(-2, -1))
        by_chance = ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total**2)
        agreed = ratio(np.trace(counts, axis1=-2, axis2=-1), total)
        return ratio(agreed - by_chance, 1 - by_chance)

    def missed(labels, probabilities):
        return np.zeros_like(labels), 1 - probabilities[np.arange(len(labels)), labels]

    KAPPA = Metric("kappa", "Cohen's kappa", FromCounts(kappa), "number", chance=0.0)
    MISSED = Metric("missed", "missed probability", FromProbabilities(missed), greater_is_better=False)
"""
POINTS = {"leukobench.metrics": {"kappa": "agreement:KAPPA", "missed": "agreement:MISSED"}}


@pytest.fixture
def agreement(install: Any) -> None:
    install("agreement", SOURCE, POINTS)


def test_a_metric_from_outside_is_computed_and_may_rank(agreement: None) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    labels, probabilities = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
    scores = Scorer(("a", "b", "c")).score(labels, probabilities)
    assert scores["kappa"] == pytest.approx(cohen_kappa_score(labels, probabilities.argmax(axis=1)))
    assert scores["missed"] == pytest.approx(1 - probabilities[np.arange(50), labels].mean())
    check_names(for_folder(Path("images"), evaluation={"rank_by": "kappa"}))
    assert METRICS.source_digest("kappa")
    assert metric_of("kappa").with_unit(0.8126) == "0.813"
    with pytest.raises(ConfigurationError, match="No combination can be ranked by missed"):
        check_names(for_folder(Path("images"), evaluation={"rank_by": "missed"}))


def test_without_the_package_its_name_is_refused_and_its_column_is_a_number() -> None:
    with pytest.raises(ConfigurationError, match="no metric called 'kappa'"):
        check_names(for_folder(Path("images"), evaluation={"rank_by": "kappa"}))
    assert metric_of("kappa").with_unit(0.8126) == "0.813"


def test_what_is_no_metric_is_refused(install: Any) -> None:
    install("wrong", "KAPPA = 1", {"leukobench.metrics": {"kappa": "wrong:KAPPA"}})
    with pytest.raises(ConfigurationError, match="'kappa' is no metric"):
        metrics()


EXPERIMENT = """
plugins: [PLUGIN]
images: {folder: FOLDER, group: 'synthetic-(P\\d+)'}
extractors: [{tiny_network:TINY: {pooling: average}}]
selectors: [none]
classifiers: [naive_bayes, lda]
evaluation: {folds: 3, resamples: 100, rank_by: kappa, controls: off}
"""


def leukobench(*arguments: str) -> str:
    command = [sys.executable, "-m", "leukobench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_metric_from_outside_is_in_everything_that_a_run_leaves(
    agreement: None, smears: Path, tmp_path: Path
) -> None:
    from leukobench.app.explore import _cells
    from leukobench.reporting.report.sections.leaderboard import leaderboard
    from leukobench.runs.finished import FinishedRun

    (tmp_path / "trial.yaml").write_text(EXPERIMENT.replace("FOLDER", str(smears)).replace("PLUGIN", str(PLUGIN)))
    results = ["--results", str(tmp_path / "results"), "--workers", "1"]
    said = leukobench("run", str(tmp_path / "trial.yaml"), *results)
    folder = tmp_path / "results" / "trial"
    board = pd.read_csv(folder / "leaderboard.csv")
    best = board[board["rank"] == 1].iloc[0]
    assert best["kappa_low"] < best["kappa"] < best["kappa_high"]
    assert best["missed_low"] < best["missed"] < best["missed_high"]
    assert board.loc[board["rank"].notna(), "kappa"].is_monotonic_decreasing
    scores = pd.read_parquet(folder / "scores.parquet")
    assert {"kappa", "missed", "brier", "log_loss", "ece"} <= set(scores["metric"])
    assert scores.loc[scores["metric"] == "missed", "value"].notna().all()
    answer = json.loads((folder / "answer.json").read_text())
    assert answer["best"]["metric"] == "kappa"
    sentence = f"Cohen's kappa {best['kappa']:.3f} [{best['kappa_low']:.3f} to {best['kappa_high']:.3f}]"
    assert sentence in answer["sentences"][0]
    assert sentence in said
    report = (folder / "report.html").read_text().replace("&#39;", "'")
    assert "ranked by Cohen's kappa" in report
    assert "missed probability" in report
    assert "Cohen's kappa" in leukobench("list", "metrics")
    allowed = code_of("tiny_network")
    assert allowed is not None
    rest = ["--out", str(tmp_path / "bundle"), "--workers", "1", "--allow-code", allowed.digest]
    leukobench("fit", str(folder), *rest)
    card = next((tmp_path / "bundle").rglob("*.md")).read_text()
    assert f"| Cohen's kappa | {best['kappa']:.3f} |" in card
    assert f"| missed probability | {100 * best['missed']:.2f} % |" in card
    run = FinishedRun.open(folder)
    rows = leaderboard(replace(run, leaderboard=run.leaderboard))
    assert any(f"{best['kappa']:.3f}" in cell for row in rows["rows"] for cell in _cells(row, False, False))
    assert "missed probability" in [one.title for one in rows["columns"]]
