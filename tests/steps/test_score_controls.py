"""Controls are rows beside the combinations: scored on the same folds, never candidates, never trained."""

import json
from pathlib import Path
from typing import Any

import pytest

from leukobench.config.experiment import Evaluation
from leukobench.features.network_extractor import NetworkExtractor
from leukobench.pipeline import run
from leukobench.steps.score_controls import control_extractors, control_methods


def test_what_takes_part_is_a_setting() -> None:
    assert [len(control_extractors(Evaluation(controls=value))) for value in ("bundled", "same", False)] == [2, 1, 0]
    assert control_extractors(Evaluation(permute=True)) == {}
    for name, extractor in control_extractors(Evaluation()).items():
        if isinstance(extractor, NetworkExtractor):
            assert "RANDOM" in name
            assert extractor.weights.kind == "random"


def test_very_many_images_get_the_variant() -> None:
    pixels, _ = control_extractors(Evaluation())
    names = [control_methods(pixels, Evaluation(), images)[1].identity["name"] for images in (100, 30_000)]
    assert names == ["svm_rbf", "svm_rbf_nystroem"]


@pytest.fixture(scope="module")
def with_controls(tiny_experiment: Any) -> Path:
    settings = {"folds": 3, "resamples": 100, "controls": "same"}
    return run(tiny_experiment(name="controls", evaluation=settings), workers=1).folder


@pytest.mark.slow
def test_the_best_extractor_untrained_is_a_row_and_no_candidate(with_controls: Path) -> None:
    from leukobench.runs.finished import FinishedRun

    finished = FinishedRun.open(with_controls)
    board, answer = finished.leaderboard, finished.answer
    rows = board[board["kind"] == "control"]
    own = f"control: RANDOM {answer.best.extractor}"
    assert sorted(rows["extractor"]) == sorted(["control: 16 x 16 pixels", own])
    assert rows[["rank", "rank_low"]].isna().all(axis=None)
    assert not rows["in_best_set"].fillna(False).any()
    assert answer.best.picked_among == (board["kind"] == "combination").sum()
    assert set(board["engine"]) >= {"scikit-learn"}
    for one in answer.controls:
        value = rows.set_index("extractor").loc[f"control: {one.name}", "balanced_accuracy"]
        assert one.value == pytest.approx(value)
        assert one.lead == pytest.approx(answer.best.value - value)
        assert one.lead_low < one.lead < one.lead_high
    assert any("controls, which are no candidates: " in line for line in answer.protocol)
    stored = json.loads((with_controls / "answer.json").read_text())
    assert [one["name"] for one in stored["controls"]] == [one.name for one in answer.controls]
    assert "never trained" in (with_controls / "report.html").read_text()
