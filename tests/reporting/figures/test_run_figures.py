"""Figures of a run: their numbers are those of the tables, nothing is drawn beyond its axes, all follow the schema."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest

from leukobench.evaluation.metrics import metric_of
from leukobench.reporting.figures.axes import Axis, Domain
from leukobench.reporting.figures.calibration import reliability_figures
from leukobench.reporting.figures.confusion import confusion_figures
from leukobench.reporting.figures.costs import cost_figure, pareto_front
from leukobench.reporting.figures.examples import examples
from leukobench.reporting.figures.given_part import given_part_figure
from leukobench.reporting.figures.heat_map import heat_figure
from leukobench.reporting.figures.intervals import intervals
from leukobench.reporting.figures.patients import patients_figure
from leukobench.reporting.figures.recalibration import recalibration_figures
from leukobench.reporting.figures.stability import stability_figure
from leukobench.reporting.vega import Figure
from leukobench.runs.finished import FinishedRun

from ..test_external import ANSWER
from .scene import marks, outside

KEYS = ["extractor", "selector", "classifier"]


def listed(draw: Callable[[FinishedRun], Any]) -> Callable[[FinishedRun], Sequence[Figure]]:
    def figures(run: FinishedRun) -> Sequence[Figure]:
        drawn = draw(run)
        return drawn if isinstance(drawn, list) else [drawn] if drawn else []

    return figures


DRAWN = [intervals, heat_figure, reliability_figures, confusion_figures, cost_figure, patients_figure, stability_figure]


@pytest.mark.parametrize("draw", DRAWN)
def test_every_figure_keeps_the_contract(draw: Callable[[FinishedRun], Any], run: FinishedRun) -> None:
    figures = listed(draw)(run)
    assert figures
    for figure in figures:
        assert len(figure.alt) > 40
        assert figure.name.replace("-", "").isalnum()
        for spec, drawing in zip(figure.specs, figure.svgs, strict=True):
            alt.Chart.from_dict(spec)  # the schema of Vega-Lite
            assert ElementTree.fromstring(drawing).tag.endswith("svg")
            assert not outside(spec)
            assert "NaN" not in drawing


@pytest.mark.parametrize("draw", DRAWN[:-1])
def test_nothing_is_drawn_of_a_run_without_scores(draw: Callable[[FinishedRun], Any], run: FinishedRun) -> None:
    columns = [name for name in run.leaderboard if str(name).startswith("balanced_accuracy")]
    empty = run.leaderboard.assign(rank=None, **dict.fromkeys(columns, math.nan))
    assert not listed(draw)(replace(run, leaderboard=empty))


def test_the_heat_map_has_the_numbers_of_every_combination(run: FinishedRun) -> None:
    figure = heat_figure(run)
    assert figure is not None
    table = run.leaderboard[run.leaderboard["kind"] == "combination"]
    metric = metric_of("balanced_accuracy")
    expected = [metric.digits(value) for value in table["balanced_accuracy"].dropna()]
    for spec in figure.specs:
        texts = [str(item["text"]) for kind, item, _, _ in marks(spec) if kind == "text"]
        assert sorted(text for text in texts if text.replace(".", "").isdigit()) == sorted(expected)
        assert texts.count("\N{EN DASH}") == table["balanced_accuracy"].isna().sum() == 1


def test_confusion_has_the_raw_counts(run: FinishedRun) -> None:
    best, *_ = confusion_figures(run)
    table, own = run.table("confusion.parquet"), run.leaderboard[KEYS].iloc[0].tolist()
    counts = table[(table[KEYS] == own).all(axis=1)].set_index(["label", "predicted"])["count"]
    cells = {(c["label"], c["predicted"]): c for c in best.specs[0]["layer"][-1]["data"]["values"]}
    assert len(cells) == 16
    for key, cell in cells.items():
        assert cell["count"] == counts.get(key, 0)
    wrong = sum(count for (label, predicted), count in counts.items() if label != predicted)
    assert best.note.startswith(f"{wrong} wrong of 480")


def test_reliability_has_the_bins_of_the_table(run: FinishedRun) -> None:
    best, *_ = reliability_figures(run)
    table, own = run.table("reliability.parquet"), run.leaderboard[KEYS].iloc[0].tolist()
    bins = table[(table[KEYS] == own).all(axis=1) & (table["count"] > 0)]
    points = [item for kind, item, _, _ in marks(best.specs[0]) if kind == "symbol"]
    width, height = next((width, height) for _, _, width, height in marks(best.specs[0]))
    assert sorted(item["x"] / width for item in points) == pytest.approx(sorted(bins["confidence"]))
    assert sorted(1 - item["y"] / height for item in points) == pytest.approx(sorted(bins["accuracy"]))


def test_the_front_holds_what_nothing_beats_in_both(run: FinishedRun) -> None:
    table = run.leaderboard[(run.leaderboard["kind"] == "combination") & run.leaderboard["balanced_accuracy"].notna()]
    seconds = table["selector_s"] + table["fit_s"] + table["predict_s"]
    scores = table["balanced_accuracy"]
    beaten = []
    for own, score in zip(seconds, scores, strict=True):
        as_good = (seconds <= own) & (scores >= score)
        beaten.append((as_good & ((seconds < own) | (scores > score))).any())
    expected = table[[not one for one in beaten]]
    assert {tuple(row[name] for name in KEYS) for row in pareto_front(run)} == set(
        expected[KEYS].itertuples(index=False, name=None)
    )


def test_the_second_example_differs_most_from_the_best(run: FinishedRun, tmp_path: Any) -> None:
    ranked = [row for row in run.ranked if row.get("in_best_set") is True][:3]
    assert len(ranked) == 3
    tables = []
    for wrong, row in zip((0, 1, 5), ranked, strict=True):
        predicted = {"row": range(20), "repeat": 0, "predicted": ["b"] * wrong + ["a"] * (20 - wrong)}
        tables.append(pd.DataFrame({name: row[name] for name in KEYS} | predicted))
    pd.concat(tables).sample(frac=1, random_state=0).to_parquet(tmp_path / "predictions.parquet")
    best, different, shortcut = examples(replace(run, folder=tmp_path))
    assert different.row == ranked[2]
    assert different.note == "25.0 % of the predictions differ from those of the best."
    assert (best.words, shortcut.words) == ("Best", "Strongest shortcut")
    assert different.title.startswith("Differs most among the best: ")


def test_recalibration_shows_every_number_of_groups() -> None:
    figures = recalibration_figures(ANSWER, "external-1")
    assert figures
    for figure in figures:
        spec = figure.specs[0]
        alt.Chart.from_dict(spec)
        assert not outside(spec)
        points = [one for one in ANSWER.recalibration if figure.name.endswith(one.metric.replace("_", "-"))]
        dots = [item for kind, item, _, _ in marks(spec) if kind == "symbol"]
        assert len(dots) == len(points) > 0
        assert figure.alt.count("recalibrated on") == len(points)


def test_the_given_part_stands_beside_the_folds(run: FinishedRun) -> None:
    board = run.leaderboard.assign(test_balanced_accuracy=run.leaderboard["balanced_accuracy"] - 0.1)
    figure = given_part_figure(replace(run, leaderboard=board), "balanced_accuracy")
    alt.Chart.from_dict(figure.specs[0])
    assert not outside(figure.specs[0])
    scored = int(board["balanced_accuracy"].notna().sum())
    assert figure.alt.startswith(f"balanced accuracy of {scored} rows")
    assert f"{scored} are lower there" in figure.alt
    dots = [item for kind, item, _, _ in marks(figure.specs[0]) if kind == "symbol"]
    assert len(dots) == scored


def test_domains_hold_their_values() -> None:
    assert Domain.decades([0.004, 12.0]) == Domain(0.001, 100.0)
    assert Domain.decades([0.0, math.nan]) == Domain(1.0, 10.0)
    assert Domain.around([0.2, math.nan, 0.4], 0.5) == Domain(pytest.approx(0.1), pytest.approx(0.5))
    assert Axis.of(metric_of("accuracy"), [0.2]).percent
    assert Axis.of(metric_of("accuracy"), [0.5, 1.0]).domain.high == pytest.approx(1.01, abs=0.002)
    assert not Axis.of(metric_of("log_loss"), [0.2]).percent
