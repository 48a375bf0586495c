"""Curves of two classes against scikit-learn and Bayes' theorem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from leukobench.reporting.figures.curves import (
    curve_figures,
    precision_recall_curves,
    predictive,
    predictive_values,
    roc_curves,
)
from leukobench.reporting.figures.examples import Example
from leukobench.runs.finished import FinishedRun

from .scene import outside

KEYS = ("extractor", "selector", "classifier")
NAMES = {"<b>no</b>": 60, "yes": 40}


@pytest.fixture
def two(run: FinishedRun, tmp_path: Path) -> FinishedRun:
    """A run of two classes: a combination, another, and a shortcut."""
    rng, labels = np.random.default_rng(0), [name for name, count in NAMES.items() for _ in range(count)]
    rates = {f"{name}[yes]_{end}": value for name in ("sensitivity", "specificity")
             for end, value in (("low", 0.6), ("high", 0.95))}  # fmt: skip
    board = run.leaderboard.groupby("kind").head(2).assign(auroc=0.9, auroc_low=0.8, auroc_high=0.95, **rates)
    tables, classes = [], []
    for row, skill in zip(board.to_dict("records"), (2.0, 1.5, 0.5, 0.0), strict=True):
        names = {name: row[name] for name in KEYS}
        scores = 1 / (1 + np.exp(-(rng.normal(size=100) + skill * (np.array(labels) == "yes"))))
        table = {"label": labels, "p_yes": scores, "p_<b>no</b>": 1 - scores, "row": range(100), "repeat": 0}
        tables.append(pd.DataFrame(names | table).assign(predicted=np.where(scores > 0.5, "yes", "<b>no</b>")))
        counts = {"tp": 30, "fn": 10, "fp": 6, "tn": 54, "sensitivity": 0.75, "specificity": 0.9}
        classes += [names | {"label": name} | counts for name in NAMES]
    pd.concat(tables).to_parquet(tmp_path / "predictions.parquet")
    pd.DataFrame(classes).to_csv(tmp_path / "classes.csv", index=False)
    return replace(run, folder=tmp_path, leaderboard=board)


def test_curves_are_those_of_scikit_learn(two: FinishedRun) -> None:
    table = two.predictions_of([str(two.ranked[0][name]) for name in KEYS])
    example = Example("best", "Best", two.ranked[0], table)
    truth, scores = table["label"] == "yes", table["p_yes"]
    (roc,) = roc_curves([example], "yes")
    assert auc(roc.x, roc.y) == pytest.approx(roc_auc_score(truth, scores))
    (curve,) = precision_recall_curves([example], "yes")
    steps = np.diff(curve.x, prepend=0)
    assert float(np.sum(steps * curve.y)) == pytest.approx(average_precision_score(truth, scores), abs=0.02)


def test_predictive_values_at_the_share_of_the_data_are_those_of_the_counts(two: FinishedRun) -> None:
    positive, negative = predictive(0.75, 0.9, 0.4)
    assert positive == pytest.approx(30 / 36)
    assert negative == pytest.approx(54 / 64)
    figure = predictive_values(two, "yes")
    assert figure is not None
    assert "40.0 % (dashed): positive 83.3 %, negative 84.4 %" in figure.note
    assert "sensitivity 75.00 % [60.00 to 95.00], specificity 90.00 % [60.00 to 95.00]" in figure.note
    assert "40.0 %: positive 83.3 %, negative 84.4 %" in figure.svgs[0]


def test_three_figures_of_two_classes_and_none_of_four(two: FinishedRun, run: FinishedRun) -> None:
    figures = curve_figures(two)
    assert [figure.name for figure in figures] == ["roc", "precision-recall", "predictive-values"]
    for figure in figures:
        alt.Chart.from_dict(figure.specs[0])
        assert not outside(figure.specs[0])
    assert "AUROC: Best: " in figures[0].note
    assert curve_figures(run) == []


def lines_of(figure: Any) -> set[str]:
    return {row["name"] for layer in figure.specs[0]["layer"] for row in layer["data"]["values"] if "name" in row}


def test_the_shortcut_is_drawn_beside_the_combinations(two: FinishedRun) -> None:
    roc, *_ = curve_figures(two)
    assert "Strongest shortcut" in lines_of(roc)
    assert "Best" in lines_of(roc)
