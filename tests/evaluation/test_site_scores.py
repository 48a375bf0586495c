"""Scores across sites: cells are those of plain scikit-learn, gaps are paired, failures are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.naive_bayes import GaussianNB

from leukobench.evaluation.folds import make_folds
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.methods import make_method
from leukobench.evaluation.metrics import BALANCED_ACCURACY
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.site_folds import SiteFolds
from leukobench.evaluation.site_scores import (
    PREDICTIONS,
    AcrossScores,
    Protocol,
    grid_across,
    probabilities_of,
    score_across,
    sensitivity_by_site,
)
from leukobench.evaluation.task import Task
from leukobench.registry import Registry

from ..in_process import InProcess

PER_SITE = 40
PLACES = np.repeat(["A", "B", "C"], PER_SITE)
LDA, BAYES = ("x", "none", "lda"), ("x", "none", "bayes")


@pytest.fixture(scope="module")
def features() -> tuple[np.ndarray, np.ndarray]:
    """Two classes; the site shifts the features, and A has one class mostly."""
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=len(PLACES)) < np.where(PLACES == "A", 0.9, 0.4)).astype(int)
    shift = np.select([PLACES == "A", PLACES == "B"], [2.0, -0.5], 0.0)
    matrix = rng.normal(size=(len(PLACES), 5)) + 1.2 * labels[:, None] * [1, 0.5, 0, 0, 0]
    matrix[:, 1] += shift
    return matrix.astype(np.float32), labels


@pytest.fixture(scope="module")
def grid(features: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Grid:
    folder = tmp_path_factory.mktemp("features")
    np.save(folder / "x.npy", features[0])
    task = Task.of([f"{row:064x}" for row in range(len(PLACES))], features[1].astype(str).tolist(), np.arange(120) // 2)
    selectors, classifiers = Registry("selector"), Registry("classifier")
    selectors.add("none", "sklearn.feature_selection:VarianceThreshold")
    classifiers.add("lda", "sklearn.discriminant_analysis:LinearDiscriminantAnalysis")
    classifiers.add("bayes", "sklearn.naive_bayes:GaussianNB")
    classifiers.add("broken", "sklearn.naive_bayes:CategoricalNB")
    return Grid(
        task,
        make_folds(task, 4, 1, 0),
        [FeatureSource("x", folder / "x.npy", "x")],
        [make_method(selectors, "none", {}, "none", 0)],
        [make_method(classifiers, name, {}, name, 0) for name in ("lda", "bayes", "broken")],
    )


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return Protocol(BALANCED_ACCURACY, 200, 0, LDA)


@pytest.fixture(scope="module")
def scored(
    grid: Grid, protocol: Protocol, tmp_path_factory: pytest.TempPathFactory
) -> tuple[AcrossScores, SiteFolds, RecordStore, Path]:
    folder = tmp_path_factory.mktemp("run")
    store, sites = RecordStore(folder / "records"), SiteFolds.of(grid.task, PLACES.tolist())
    for one in (grid, grid_across(grid, sites)):
        run_grid(one, store, InProcess())
    return score_across(grid, store, sites, protocol, folder), sites, store, folder


def test_two_cells_are_those_of_scikit_learn(
    features: tuple[np.ndarray, np.ndarray], scored: tuple[AcrossScores, SiteFolds, RecordStore, Path]
) -> None:
    across, _, _, folder = scored
    matrix, labels = features[0].astype(float), features[1]
    stored = pd.read_parquet(folder / PREDICTIONS)
    for (_, _, name), estimator in {LDA: LinearDiscriminantAnalysis(), BAYES: GaussianNB()}.items():
        expected = np.empty((len(PLACES), 2))
        for site in "ABC":
            inside = site == PLACES
            expected[inside] = estimator.fit(matrix[~inside], labels[~inside]).predict_proba(matrix[inside])
        rows = stored[stored["classifier"] == name].sort_values("row")
        assert rows["row"].tolist() == list(range(len(PLACES)))
        assert np.abs(rows[["p_0", "p_1"]].to_numpy() - expected).max() < 1e-9
        value = across.table.set_index("classifier").loc[name, "across_sites"]
        assert value == pytest.approx(balanced_accuracy_score(labels, expected.argmax(axis=1)), abs=1e-12)


def test_the_gap_is_the_difference_of_both_scores_with_an_interval(
    scored: tuple[AcrossScores, SiteFolds, RecordStore, Path], grid: Grid
) -> None:
    across, _, store, _ = scored
    table = across.table.set_index("classifier")
    for name in ("lda", "bayes"):
        row = table.loc[name]
        within = probabilities_of(grid, store, ("x", "none", name))
        assert within is not None
        assert row["within_sites"] == pytest.approx(balanced_accuracy_score(grid.task.labels, within[0].argmax(axis=1)))
        assert row["site_gap"] == pytest.approx(row["within_sites"] - row["across_sites"])
        assert row["site_gap_low"] < row["site_gap"] < row["site_gap_high"]
        assert row["across_sites_low"] < row["across_sites"] < row["across_sites_high"]
        assert row["balanced_accuracy"] == row["across_sites"]
    assert across.best is not None
    assert across.best["value"] == table.loc[["lda", "bayes"], "across_sites"].max()


def test_failures_are_named_by_site(scored: tuple[AcrossScores, SiteFolds, RecordStore, Path]) -> None:
    across = scored[0]
    failed = {"lda": "ok", "bayes": "ok", "broken": "failed without 3 of 3 sites"}
    assert across.table.set_index("classifier")["site_status"].to_dict() == failed
    assert across.errors["site"].tolist() == ["A", "B", "C"]
    assert across.errors["text"].str.contains("Negative values").all()
    assert across.table["site_gap"].isna().tolist() == across.table["site_status"].ne("ok").tolist()


def test_sites_are_scored_on_the_classes_that_they_have(grid: Grid, protocol: Protocol) -> None:
    rng = np.random.default_rng(1)
    labels = np.where(PLACES == "A", 1, grid.task.labels)
    task = Task.of(grid.task.image_ids.tolist(), labels.astype(str).tolist(), grid.task.groups.tolist())
    sites = SiteFolds.of(task, PLACES.tolist())
    within, outside = rng.dirichlet([1, 1], (2, len(PLACES)))
    rows = list(sensitivity_by_site(sites, within[None], outside, protocol))
    assert [row["lacking"] for row in rows] == [["0"], [], []]
    for row in rows:
        own = row["site"] == PLACES
        for name, values in (("within", within), ("across", outside)):
            predicted = values[own].argmax(axis=1)
            recalls = recall_score(labels[own], predicted, labels=np.unique(labels[own]), average=None)
            assert row[name] == pytest.approx(recalls.mean())
        assert row["low"] < row["gap"] < row["high"]
        assert (row["images"], row["groups"], row["trained"]) == (PER_SITE, PER_SITE // 2, 2 * PER_SITE)
