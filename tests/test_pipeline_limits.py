"""Limits and a budget of time in whole runs: what was not reached is said, and computed the next time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pandas as pd
import pytest

from leukobench.errors import ConfigurationError, EveryCombinationFailedError
from leukobench.pipeline import Outcome, run
from leukobench.runs import workspace

from .evaluation.small_networks import only
from .in_process import InProcess
from .test_pipeline_reruns import same

BASELINES, FOLDS = 7, 3


class Ends(InProcess):
    """Its time is over after so many units, whatever the clock says."""

    units = BASELINES * FOLDS + FOLDS + 1

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
    ) -> Iterator[tuple[int, Any]]:
        yield from super().map(work, islice(pieces, self.units), stopped)


@pytest.mark.slow
def test_a_budget_compares_what_is_finished_and_the_next_run_goes_on(
    finished_run: Outcome, experiment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "Processes", lambda workers, limits: Ends(limits))
        part = run(experiment(name="part"), workers=1, budget=1e6)
    status = part.leaderboard.set_index(["selector", "classifier"])["status"]
    assert status["none", "naive_bayes"] == "ok"
    assert status["none", "lda"] == "not reached in 2 of 3 folds"
    assert status["anova(n_features=3)"].eq("not reached in 3 of 3 folds").all()
    answer = part.answer
    assert answer.best is not None
    assert (answer.best.names[1:], answer.best.picked_among) == (("none", "naive_bayes"), 1)
    assert answer.budget is not None
    assert (answer.budget.combinations, answer.budget.reached) == (4, 1)
    assert answer.sentences[1].startswith("NOT ALL REACHED: the budget of time ended when 1 of 4 combinations were")
    report = (part.folder / "report.html").read_text()
    assert "NOT ALL REACHED" in report
    assert '<span class="tag failed">✕ not reached</span>' in report
    assert "error" not in set(pd.read_csv(part.folder / "notes.csv")["kind"])
    kept = {path.name: path.stat().st_mtime_ns for path in (part.folder / "records").iterdir()}
    rest = run(experiment(name="part"), workers=1)
    assert not rest.reused
    assert rest.answer.budget is None
    assert kept.items() <= {path.name: path.stat().st_mtime_ns for path in (rest.folder / "records").iterdir()}.items()
    same(finished_run, rest)
    assert run(experiment(name="part"), workers=1).reused


@pytest.mark.slow
def test_a_budget_that_reaches_nothing_says_so(experiment: Any) -> None:
    with pytest.raises(EveryCombinationFailedError, match="0 of 4 combinations were finished on all folds"):
        run(experiment(), workers=1, budget=1e-6)


def test_permuted_labels_take_no_budget(experiment: Any) -> None:
    with pytest.raises(ConfigurationError, match="a budget of time would leave no verdict"):
        run(experiment().with_permuted_labels(5), workers=1, budget=60)


@pytest.mark.slow
def test_a_training_that_exceeds_a_limit_fails_in_every_fold(experiment: Any, plugin: str) -> None:
    settings = only(plugin, end="wait") | {"evaluation": {"folds": 2, "limits": {"seconds": 1}}}
    outcome = run(experiment(**settings), workers=1)
    assert outcome.leaderboard.set_index("extractor")["status"]["pixels"] == "failed in 2 of 2 folds"
    notes = pd.read_csv(outcome.folder / "notes.csv")["text"]
    stopped = "The training was stopped: it took more than the limit of 1 s."
    assert notes.tolist() == [stopped, f"Not tried, as in fold 0: {stopped}"]
    assert not list((outcome.folder / "records").glob("*.json"))


@pytest.mark.slow
def test_a_training_that_the_budget_ends_leaves_no_record(experiment: Any, plugin: str) -> None:
    settings = only(plugin, end="wait") | {"evaluation": {"folds": 2}}
    run(experiment(**(settings | {"cnns": []})), workers=1)  # the combinations are there already
    outcome = run(experiment(**settings), workers=1, budget=6)
    assert outcome.leaderboard.set_index("extractor")["status"]["pixels"] == "not reached in 2 of 2 folds"
    assert outcome.answer.budget is not None
