"""The report on trained networks: their table and their learning curves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from leukobench.reporting.figures.losses import loss_figures
from leukobench.reporting.report.page import write_report
from leukobench.reporting.report.sections.networks import head_to_head
from leukobench.runs.finished import FinishedRun

from ..figures.scene import outside
from .drawn_run import read_answer, write_answer

pytestmark = pytest.mark.slow
NAMES = ("pixels", "none", "custom_cnn(size=64)")


@pytest.fixture
def trained(drawn: Path, tmp_path: Path) -> Path:
    """A run of one network, ranked by accuracy."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(drawn / "experiment.yaml", folder)
    answer = read_answer(drawn)
    assert answer.best is not None
    write_answer(folder, replace(answer, best=replace(answer.best, metric="accuracy")))
    scores = {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95, "ece": 0.02, "log_loss": 0.3}
    names = dict(zip(("extractor", "selector", "classifier"), NAMES, strict=True))
    row = {"rank": 1, **names, "kind": "combination", **scores, "fit_s": 9.0, "status": "ok"}
    pd.DataFrame([row]).to_csv(folder / "leaderboard.csv", index=False)
    costs = {"trained": "from scratch", "train_s": 120.0, "predict_ms": 2.5, "parameters": 1_234_567, "model_mb": 4.9}
    balanced = {f"balanced_accuracy{end}": value for end, value in (("", 0.9), ("_low", 0.8), ("_high", 0.95))}
    pd.DataFrame([row | costs | balanced]).to_csv(folder / "head_to_head.csv", index=False)
    epochs = [
        {**names, "repeat": 0, "fold": fold, "phase": phase, "epoch": epoch, "loss": 1 / epoch, "validation_loss": loss}
        for fold in (0, 1)
        for phase, last, loss in (("frozen", 3 + fold, 0.5), ("fine-tuned", 2, float("nan")))
        for epoch in range(1, last + 1)
    ]
    pd.DataFrame(epochs).to_csv(folder / "learning_curves.csv", index=False)
    return folder


def open_run(folder: Path) -> FinishedRun:
    return FinishedRun.open(folder, ended=False)


def test_the_table_holds_score_calibration_times_and_sizes(trained: Path) -> None:
    table = head_to_head(open_run(trained))
    assert table is not None
    (row,) = table["rows"]
    assert table["metric"] == "accuracy"
    assert (row["trained"], row["train_s"], row["predict_s"]) == ("from scratch", 120.0, 0.0025)
    assert (row["parameters"], row["model_mb"]) == (1.234567, 4.9)
    html = write_report(trained).read_text()
    for text in ("from scratch", "120 s", "2.5 ms", "1.23 M", "4.9 MB", 'id="networks"'):
        assert text in html


def test_curves_show_every_epoch_of_every_fold_with_phases_one_after_the_other(trained: Path) -> None:
    (one,) = loss_figures(open_run(trained))
    assert one.note == "2 folds: frozen to epoch 4, fine-tuned to epoch 6."
    rows = one.specs[0]["data"]["values"]
    kinds = [row["kind"] for row in rows]
    assert kinds.count("training") == 3 + 4 + 2 + 2
    assert kinds.count("inner validation") == 3 + 4, "epochs without a validation part have no mark"
    assert max(row["epoch"] for row in rows) == 6
    assert not outside(one.specs[0])


def test_without_networks_there_is_no_section(trained: Path) -> None:
    for name in ("head_to_head.csv", "learning_curves.csv"):
        (trained / name).unlink()
    assert head_to_head(open_run(trained)) is None
    assert loss_figures(open_run(trained)) == []
    assert 'id="networks"' not in write_report(trained).read_text()
