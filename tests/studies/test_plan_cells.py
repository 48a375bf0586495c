"""Cells of a trial: one extractor stands for others, and the classifiers on one selector for those on others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.evaluation.grid import FeatureSource
from leukobench.evaluation.records import Record
from leukobench.runs.workspace import RunFolder, Workspace
from leukobench.steps.prepare_run import prepare_run
from leukobench.studies import plan_cells
from leukobench.studies.plan_cells import statistics_seconds, time_cells, warm_up

Make = Callable[..., Any]


@pytest.fixture
def work(experiment: Make, tmp_path: Path) -> Any:
    mine = experiment(selectors=["none", {"anova": {"n_features": 2}}, {"pca": {"n_components": 2}}])
    return prepare_run(mine, Workspace(RunFolder(tmp_path / "run"), 1))


def source(folder: Path, rows: int, width: int) -> FeatureSource:
    matrix = folder / f"{width}.npy"
    np.save(matrix, np.random.default_rng(width).normal(size=(rows, width)).astype(np.float32))
    return FeatureSource(f"of {width}", matrix, str(width))


def test_wider_extractors_cost_more_in_proportion(work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[tuple[str, str, str]] = []

    def run_unit(unit: Any, task: Any, rules: Any, store: Any) -> None:
        for key, classifier in unit.classifiers:
            fitted.append((unit.source.label, unit.selector.label, classifier.label))
            record = Record(np.full((len(unit.fold.test), 4), 0.25), 2.0, 3.0 + len(fitted), 1.0)
            store.write(key, record, task.classes)

    monkeypatch.setattr(plan_cells, "run_unit", run_unit)
    sources = [source(tmp_path, len(work.index), width) for width in (8, 4)]
    cells = time_cells(work, work.index, sources, tmp_path)
    assert {names[0] for names in fitted} == {"of 4"}
    assert len(fitted) == 2 + 2 + 1, "every classifier on all features and on those of one selector"
    costs = cells.costs.set_index(["extractor", "selector", "classifier"])
    assert len(costs) == 2 * 3 * 2
    narrow, wide = (costs.loc[name] for name in ("of 4", "of 8"))
    assert (wide["selector_s"] == 2 * narrow["selector_s"]).all()
    assert (wide.loc["none", "fit_s"] == 2 * narrow.loc["none", "fit_s"]).all()
    others = [name for name in narrow.index.levels[0] if name != "none"]
    assert (wide.loc[others, "fit_s"] == narrow.loc[others, "fit_s"]).all()
    assert set(narrow.loc[others[1], "fit_s"]) <= {*narrow.loc[others[0], "fit_s"], 8.0}


def test_what_the_fits_need_is_loaded_without_an_image(work: Any, tmp_path: Path) -> None:
    assert 0 < warm_up(work, tmp_path) < 60


def test_statistics_cost_what_the_combinations_cost(work: Any) -> None:
    few, many = (statistics_seconds(work.index, Evaluation(folds=3, resamples=100), count) for count in (10, 1000))
    assert 0 < few < many
