"""Sites in a run: every combination without each site, in tables, the answer's first lines and the report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.errors import ImagesError
from leukobench.images.synthetic import Smears, draw
from leukobench.images.synthetic_sites import Sites
from leukobench.pipeline import Outcome, run
from leukobench.runs.finished import FinishedRun
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.steps.prepare_run import prepare_run
from leukobench.studies.plan_trials import PlannedRun

from ..conftest import made_once, small_experiment

pytestmark = pytest.mark.slow
SETTINGS: dict[str, Any] = {"images": {"copies": "off"}, "evaluation": {"folds": 3, "leave_out": "site"}}


@pytest.fixture(scope="module")
def images(shared: Path) -> Path:
    return made_once(shared / "sites", lambda folder: draw(folder, Smears(96, 32, 0, 64, Sites(2, 0.8))))


@pytest.fixture(scope="module")
def outcome(images: Path, shared: Path) -> Outcome:
    results = shared / "of sites"
    made_once(results, lambda folder: run(small_experiment(images, folder, **SETTINGS), workers=1))
    return Outcome(FinishedRun.open(results / "trial"))


def test_every_row_has_a_score_across_sites(outcome: Outcome) -> None:
    board, answer = outcome.leaderboard, outcome.answer.sites
    assert answer is not None
    assert board["across_sites"].notna().all()
    assert board["site_gap"].notna().all()
    best = board[board["rank"] == 1].iloc[0]
    assert (answer.within, answer.across) == pytest.approx((best["balanced_accuracy"], best["across_sites"]))
    assert (answer.column, answer.images, len(answer.sites)) == ("site", 96, 2)
    assert [one.site for one in answer.sites] == ["S1", "S2"]
    stored = pd.read_parquet(outcome.folder / "predictions_across_sites.parquet")
    sites = pd.read_parquet(outcome.folder / "images.parquet")["site"]
    assert (stored["fold"] == stored["row"].map(sites).map({"S1": 0, "S2": 1})).all()


def test_the_site_is_a_shortcut_and_features_tell_it(outcome: Outcome) -> None:
    row = outcome.leaderboard.set_index("extractor").loc["shortcut: site"]
    assert row["kind"] == "shortcut"
    assert row["features"] == 2
    assert outcome.answer.shortcut is not None
    assert "site" in outcome.answer.shortcut.tried
    known = outcome.answer.sites.extractors[0] if outcome.answer.sites else None
    assert known is not None
    assert known.site_accuracy is not None
    assert known.site_accuracy > 0.5
    assert known.robustness is not None


def test_the_first_lines_and_the_report_say_so(outcome: Outcome) -> None:
    assert outcome.answer.sites is not None
    assert outcome.answer.sentences[1] == outcome.answer.sites.words
    html = (outcome.folder / "report.html").read_text(encoding="utf-8")
    assert "Across sites" in html
    assert html.count("in ordinary folds") > 1
    assert "across sites</th>" in html


def test_what_was_fitted_is_not_fitted_again(outcome: Outcome, images: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(outcome.folder, tmp_path / "trial"))
    (folder / "across_sites.csv").unlink()
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "records").iterdir()}
    again = run(small_experiment(images, tmp_path, **SETTINGS), workers=1)
    assert not again.reused
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "records").iterdir()} == before
    assert again.leaderboard.drop(columns="fit_s").equals(outcome.leaderboard.drop(columns="fit_s"))


def test_other_sites_are_another_run_and_too_few_images_stop_it(outcome: Outcome, images: Path, tmp_path: Path) -> None:
    workspace = Workspace(RunFolder(tmp_path / "trial"), 1)
    prepared = prepare_run(small_experiment(images, tmp_path, **SETTINGS), workspace)
    assert PlannedRun.of(prepared.experiment, prepared, workspace.folder).cells == 3 + 2
    frame = prepared.index.images
    other = replace(prepared.index, images=frame.assign(site=frame["site"].iloc[::-1].to_numpy()))
    assert replace(prepared, index=other).state != prepared.state
    few = tmp_path / "few"
    shutil.copytree(images, few)
    for path in sorted(few.rglob("*-S1-*"))[:3]:
        path.rename(path.with_name(path.name.replace("-S1-", "-S3-")))
    with pytest.raises(ImagesError, match="S3 3 images: too few"):
        run(small_experiment(few, tmp_path / "results", **SETTINGS), workers=1)
    assert not (tmp_path / "results" / "trial" / "records").exists()
