"""The plan: what is there, what is to be done, and about what it will cost."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukobench import pipeline
from leukobench.classifiers import large_data
from leukobench.errors import EveryCombinationFailedError, ImagesError
from leukobench.steps.audit_index import MEASURING
from leukobench.steps.find_images import IDENTIFYING
from leukobench.steps.fit_combinations import FITTING, TRAINING
from leukobench.steps.write_pixels import READING
from leukobench.studies import planning
from leukobench.studies.plan import Plan, Step, make_plan
from leukobench.studies.planning import Planning

Make = Callable[..., Any]


def by_stage(plan: Plan | None) -> dict[str, Step]:
    assert plan is not None
    return {step.stage: step for step in plan.steps}


@pytest.mark.slow
@pytest.mark.parametrize("affords", [False, True])
def test_a_plan_says_what_is_to_be_done_and_computes_little_of_it(
    affords: bool, experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seconds decide nothing here, so that a busy machine changes nothing.
    monkeypatch.setattr(Planning, "_affords", lambda mine, seconds: affords)
    monkeypatch.setattr(planning, "_SLOW_S", float("inf"))
    said = experiment()
    plan = make_plan(said, 1)
    steps = by_stage(plan)
    assert plan is not None
    assert plan.tried == ([48, 96] if affords else [48])
    assert plan.audited == affords, "all images are compared where that is cheap"
    assert (steps[MEASURING].there, steps[MEASURING].to_do) == (plan.tried[-1], 96 - plan.tried[-1])
    extracting = steps["extracting example_plugin:Colours"]
    assert (extracting.there, extracting.to_do) == (plan.tried[-1], 96 - plan.tried[-1])
    assert steps[FITTING].to_do == (2 * 2 + 8) * 3
    assert steps[IDENTIFYING].to_do == 96
    assert plan.seconds == pytest.approx(sum(step.seconds for step in plan.steps), abs=0.01)
    assert plan.memory_bytes > 1e8
    assert plan.disk_bytes > 0
    assert (tmp_path / "seen").stat().st_size == plan.tried[-1], "features of the trials alone"
    assert sorted(path.name for path in said.folder.iterdir()) == [".leukobench", "plan.json"]
    assert "Total: about" in "\n".join(plan.lines())


@pytest.mark.slow
def test_what_the_trials_computed_is_there_afterwards(experiment: Make) -> None:
    first = make_plan(experiment(), 1)
    steps = by_stage(make_plan(experiment(), 1))
    assert first is not None
    assert steps["extracting example_plugin:Colours"].there >= first.tried[-1]


@pytest.mark.slow
def test_a_run_says_what_was_planned(experiment: Make) -> None:
    assert " (planned: " not in pipeline.run(experiment(name="unplanned"), 1).guide()
    make_plan(experiment(), 1)
    outcome = pipeline.run(experiment(), 1)
    assert " (planned: " in outcome.guide()
    costs = json.loads((outcome.folder / "costs.json").read_text())
    assert costs["seconds"] > 0
    assert {one["stage"] for one in costs["stages"]} >= {MEASURING, FITTING}
    assert make_plan(experiment(), 1) is None, "nothing is left to plan"
    assert pipeline.run(experiment(), 1).reused


@pytest.mark.thorough
def test_the_plan_of_another_experiment_is_not_shown(experiment: Make) -> None:
    make_plan(experiment(), 1)
    outcome = pipeline.run(experiment(evaluation={"folds": 4}), 1)
    assert "Took " in outcome.guide()
    assert " (planned: " not in outcome.guide()


@pytest.mark.slow
def test_a_plan_says_nothing_of_its_trials(experiment: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "leukobench"):
        make_plan(experiment(), 1)
    assert [record.message.partition(" ")[0] for record in caplog.records] == ["A", "Files", "Found"]


def test_mistakes_stop_a_plan_as_they_stop_a_run(experiment: Make, images: Path) -> None:
    for path in sorted(images.glob("*"))[1:]:
        path.rename(images.parent / path.name)
    with pytest.raises(ImagesError, match="two classes"):
        make_plan(experiment(), 1)


@pytest.mark.slow
def test_where_nothing_can_be_fitted_there_is_no_plan(experiment: Make) -> None:
    with pytest.raises(EveryCombinationFailedError, match="trial"):
        make_plan(experiment(classifiers=["example_plugin:FailsInOneFold"]), 1)


@pytest.mark.thorough
def test_protocols_that_need_many_images_are_planned_too(experiment: Make) -> None:
    said = {"folds": 3, "holdout": 0.2, "repeats": 2, "tuning": "grid"}
    plan = make_plan(experiment(classifiers=["lda", "knn"], evaluation=said), 1)
    assert by_stage(plan)[FITTING].to_do == (2 * 2 + 8) * 3 * 2
    plan = make_plan(experiment(classifiers=["lda", "knn"], evaluation=said).with_permuted_labels(7), 1)
    assert by_stage(plan)[FITTING].to_do == 2 * 2 * 3 * 7


@pytest.mark.slow
def test_trials_for_very_many_images_fit_what_the_run_will_fit(
    experiment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_data, "MOST_IMAGES", 90)
    trials = []
    timed = planning.try_on

    def kept(*what: Any, **how: Any) -> Any:
        trials.append(timed(*what, **how))
        return trials[-1]

    monkeypatch.setattr(planning, "try_on", kept)
    make_plan(experiment(classifiers=["svm_rbf"]), 1)
    assert {name for trial in trials if trial.cells for name in trial.cells.costs["classifier"]} == {"svm_rbf_nystroem"}


@pytest.mark.thorough
def test_networks_are_planned_from_two_epochs_of_each(experiment: Make) -> None:
    tiny = {"size": 32, "filters": [8, 16], "epochs": 40, "patience": 40}
    networks = [{"custom_cnn": tiny}, "example_plugin:PixelMeans"]
    said = experiment(selectors=["none"], classifiers=["lda"], cnns=networks, evaluation={"folds": 2})
    steps = by_stage(make_plan(said, 1))
    (training,) = (step for stage, step in steps.items() if stage.startswith(TRAINING))
    assert training.stage == f"{TRAINING}, at most (1 of unknown length left out)"
    assert (training.there, training.to_do, steps[READING].to_do) == (0, 4, 96)
    outcome = pipeline.run(said, 1)
    stages = {one["stage"]: one for one in json.loads((outcome.folder / "costs.json").read_text())["stages"]}
    assert stages[TRAINING]["count"] == 4
    assert 0.1 < training.seconds / stages[TRAINING]["seconds"] < 5
