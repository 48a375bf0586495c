"""What is published agrees with its predictions: rows of two sets each time, one set wholly, all before a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.evaluation.combination_names import rows_of
from leukobench.processes.executors import Processes
from leukobench.studies import plain_scores
from leukobench.studies.prediction_file import PredictionFile
from leukobench.studies.stored_results import StoredResults
from leukobench.studies.verification import verify
from leukobench.studies.verified_files import check_files
from leukobench.studies.verified_folds import check_drawn, check_folds
from leukobench.studies.verified_grid import check_grid

from .test_reference import ALL, package

FOLDERS = sorted(
    (path.parent for path in ALL.parent.glob("*/predictions.parquet") if (path.parent / "experiment.yaml").exists()),
    key=lambda folder: (folder / "predictions.parquet").stat().st_size,
)
_ROWS = 3
"""Of each folder, whose metrics are computed again each time."""


def published(run: Path, target: Path) -> Path:
    """What is published of a run."""
    first = Path(pd.read_parquet(run / "images.parquet")["path"][0])
    package("published").publish(run, target, first.parents[1].name)
    return target


@pytest.mark.parametrize("folder", FOLDERS[:2], ids=lambda folder: folder.name)
def test_folds_and_some_rows_follow_from_the_published_predictions(folder: Path) -> None:
    stored = StoredResults.open(folder)
    drawn = check_drawn(stored)
    for check in (check_folds(stored), check_grid(stored), *([drawn] if drawn else [])):
        assert not check.differ, check.mismatches
    file, task = PredictionFile(folder / "predictions.parquet"), stored.task
    every = [names for names, _ in file.combinations]
    assert len(every) == len(stored.leaderboard)
    for names in every[:: max(1, len(every) // _ROWS)]:
        probabilities = file.probabilities(names, task.classes, stored.fold_numbers.shape)
        values = plain_scores.mean_of(
            [
                plain_scores.overall(task.labels, own, folds, task.classes)
                for own, folds in zip(probabilities, stored.fold_numbers, strict=True)
            ]
        )
        row = rows_of(stored.leaderboard, names).iloc[0]
        assert {name: row[name] for name in values} == pytest.approx(values, abs=1e-6, nan_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS[:1], ids=lambda folder: folder.name)
def test_every_number_of_the_smallest_set_agrees(folder: Path) -> None:
    outcome = verify(folder, executor=Processes(1))
    assert outcome.agrees, outcome.lines()


@pytest.mark.thorough
@pytest.mark.parametrize("folder", FOLDERS[1:], ids=lambda folder: folder.name)
def test_every_number_of_every_set_agrees(folder: Path) -> None:
    outcome = verify(folder, executor=Processes(1))
    assert outcome.agrees, outcome.lines()


@pytest.mark.slow
def test_a_run_is_published_so_that_it_can_be_verified(finished_run: Any, tmp_path: Path) -> None:
    folder = published(finished_run.folder, tmp_path / "published")
    outcome = verify(folder)
    assert outcome.agrees, outcome.lines()
    assert not verify(folder, rerun=finished_run.folder).differ
    assert outcome.tolerance == 1e-6
    sizes = {check.what: check.compared for check in outcome.checks}
    assert {"patient_scores.csv", "comparisons.csv", "folds as the seed draws them"} <= set(sizes)
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path)
    columns = [name for name in table if name.startswith("p_")]
    table.loc[11, columns] = np.roll(table.loc[11, columns].to_numpy(), 1)
    table.to_parquet(path, index=False)
    assert [one.file for one in check_files(folder).mismatches] == ["predictions.parquet"]
    package("published").write_digests(folder)
    assert "leaderboard.csv" in {check.what for check in verify(folder).checks if check.differ}
    answer = json.loads((folder / "answer.json").read_text())
    assert "Best of" in answer["sentences"][0]
