"""A plan costs a tenth of what it forecasts, or ten seconds, and uses what it may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.steps.audit_index import MEASURING
from leukobench.steps.find_copies import COMPARING
from leukobench.studies import planning
from leukobench.studies.plan_forecast import Cells
from leukobench.studies.plan_trials import STARTING, PlannedRun, Trial
from leukobench.studies.planning import VIEWS_STAGE, Planning


class Clock:
    """Seconds that pass only where a trial takes them."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def planned(images: int, fit_s: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Planning, Clock, list[int]]:
    """A plan over images that take five milliseconds each, with fits that take `fit_s` for each 100."""
    clock, compared = Clock(), []

    def try_on(work: Any, rows: list[int], folder: Any, workers: int, fits: str, extract: bool) -> Trial:
        taken = 0.005 * len(rows) + 0.5
        stages = {MEASURING: (len(rows), 0.002 * len(rows)), COMPARING: (len(rows), 0.001 * len(rows))}
        if extract:
            stages["extracting"] = len(rows), taken
        cells = None
        if fits == "first":
            stages[STARTING] = 1, 1.0
        if fits == "all":
            one = {"extractor": "x", "selector": "none", "classifier": "a", "selector_s": 0.0, "predict_s": 0.0}
            cells = Cells(len(rows) / 2, len(rows) / 2, pd.DataFrame([one | {"fit_s": fit_s * len(rows) / 200}]))
            taken += fit_s * len(rows) / 200
        clock.now += taken
        return Trial(len(rows), taken, stages, cells, 0)

    def compare(mine: Planning, folder: Any, advance: Any) -> None:
        clock.now += 0.003 * images
        mine.comparing_s = 0.001 * images
        compared.append(images)

    monkeypatch.setattr(planning, "time", clock)
    monkeypatch.setattr(planning, "try_on", try_on)
    monkeypatch.setattr(planning, "trial_order", lambda work: list(range(images)))
    monkeypatch.setattr(planning, "first_sizes", lambda work: (24, min(320, images // 2)))
    monkeypatch.setattr(Planning, "_compare", compare)
    to_do = {MEASURING: images, "extracting": images}
    run = PlannedRun(images, images, 5, 1, to_do, (), 0)
    mine = Planning(SimpleNamespace(index=range(images)), run, 2, 0.0)  # type: ignore[arg-type]
    mine.__dict__ |= {"combinations": 100, "_statistics_s": 10.0, "viewed": 0}
    return mine, clock, compared


@pytest.mark.parametrize("fit_s", [0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("images", [100, 400, 3_000, 100_000])
def test_a_plan_costs_little_beside_its_forecast(images: int, fit_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, clock, _ = planned(images, fit_s, monkeypatch)
    mine.try_and_compare(lambda done, words="": None)
    assert mine.tried
    first = next(trial.seconds for trial in mine.trials if trial.cells)  # one trial has to count, whatever it costs
    assert clock.now <= max(10.0, 0.1 * sum(mine.forecast().values())) + first


def test_much_is_tried_where_the_run_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, _, compared = planned(100_000, 40.0, monkeypatch)
    mine.try_and_compare(lambda done, words="": None)
    assert mine.tried[:2] == [320, 1280]
    assert compared == [100_000]


@pytest.mark.parametrize(
    ("settings", "images", "viewed"),
    [
        ({}, 3000, 8 * 500),
        ({}, 300, 8 * 300),
        ({}, 99, 0),
        ({"view_images": "all"}, 3000, 8 * 3000),
        ({"views": "off"}, 3000, 0),
        ({"permute": True}, 3000, 0),
    ],
)
def test_views_cost_what_reading_their_images_costs(
    settings: dict[str, Any], images: int, viewed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _, _ = planned(images, 1.0, monkeypatch)
    del mine.__dict__["viewed"]
    experiment = SimpleNamespace(evaluation=Evaluation(**settings))
    mine.work = SimpleNamespace(index=range(images), experiment=experiment, extractors=["x"])  # type: ignore[assignment]
    mine.try_and_compare(lambda done, words="": None)
    assert mine.viewed == viewed
    assert mine.forecast().get(VIEWS_STAGE, 0.0) == pytest.approx(0.005 * viewed + 0.5 * (viewed > 0), abs=0.5)


def test_few_images_are_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, _, compared = planned(200, 1.0, monkeypatch)
    mine.try_and_compare(lambda done, words="": None)
    assert compared == [200]


class Conversion:
    """Takes until the clock shows six seconds; says what had been tried when it was waited for."""

    def __init__(self, mine: Planning, clock: Clock) -> None:
        self.mine, self.clock, self.tried_before, self.extracted_before = mine, clock, 0, True

    def done(self) -> bool:
        return self.clock.now >= 6.0

    def exception(self) -> None:
        self.tried_before = sum(1 for trial in self.mine.trials if trial.cells)
        self.extracted_before = any("extracting" in trial.stages for trial in self.mine.trials)
        self.clock.now = max(self.clock.now, 6.0)


@pytest.mark.parametrize("images", [100, 400, 3_000])
def test_while_networks_are_converted_all_is_tried_that_needs_none(
    images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, clock, _ = planned(images, 1.0, monkeypatch)
    mine.conversion = conversion = Conversion(mine, clock)
    mine.try_and_compare(lambda done, words="": None)
    assert (conversion.tried_before, conversion.extracted_before) == (1, False)
    assert mine.forecast()["extracting"] > 0
    assert clock.now <= max(10.0, 0.1 * sum(mine.forecast().values()))


def test_what_is_converted_is_extracted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, clock, _ = planned(400, 1.0, monkeypatch)
    clock.now, mine.start = 6.0, 6.0
    mine.conversion = conversion = Conversion(mine, clock)
    mine.try_and_compare(lambda done, words="": None)
    assert conversion.tried_before == 0
    assert all("extracting" in trial.stages for trial in mine.trials)
