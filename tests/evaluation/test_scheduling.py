"""What is computed when, what a stopped cell costs, and what is left for the next time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.evaluation.expected_costs import expected_seconds
from leukobench.evaluation.grid import Combination, FeatureSource, Grid, finished_keys
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scheduling import cheapest_first, pending_units, run_grid
from leukobench.evaluation.scores import Inference, write_scores
from leukobench.machine import Limits, Stop
from leukobench.processes.executors import Processes
from leukobench.registry import Registry

from ..in_process import InProcess
from .test_runner import make_grid, registries

__all__ = ["registries"]
FOLDS = 4
Methods = tuple[Registry, Registry]


class Interrupts(InProcess):
    """Stops some steps as they begin, as an executor would later; notes what began."""

    def __init__(self, stop: Callable[[str], Stop | None], limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.stop, self.begun = stop, list[str]()

    def alone(self) -> Interrupts:
        return self

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
    ) -> Iterator[tuple[int, Any]]:
        def begin(step: str) -> None:
            self.begun.append(step)
            if stop := self.stop(step):
                raise Interrupted(stop)

        for position, piece in enumerate(pieces):
            left: tuple[Any, ...] | None = piece
            while left:
                try:
                    work(*left, begin)
                    left = None
                except Interrupted as error:
                    left = stopped(position, error.args[0])
            yield position, None


class Interrupted(BaseException):
    """No failure of the fit."""


def keys_of(grid: Grid, classifier: str, selector: str = "anova") -> list[str]:
    named = {combination.labels: combination for combination in grid.combinations()}
    return [grid.key(named["x", selector, classifier], fold) for fold in grid.folds]


def exceeding(keys: list[str], seconds: float = 5.0) -> Callable[[str], Stop | None]:
    return lambda step: Stop(step, "it took long", {"seconds": seconds}) if step in keys else None


def test_a_stopped_cell_fails_its_row_alone_and_is_not_tried_in_other_folds(
    tmp_path: Path, registries: Methods
) -> None:
    grid, store = make_grid(tmp_path, registries, ["bayes", "svm", "tree"]), RecordStore(tmp_path / "records")
    slow, counted = keys_of(grid, "svm"), list[int]()
    executor = Interrupts(exceeding(slow))
    run_grid(grid, store, executor, counted.append)
    assert sum(counted) == 3 * FOLDS
    assert len(set(executor.begun) & set(slow)) == 1
    errors = [record.error for key in slow if (record := store.read(key))]
    assert sorted(errors)[0] == "Not tried, as in fold 0: The fit was stopped: it took long."
    assert errors.count("The fit was stopped: it took long.") == 1
    board = write_scores(grid, store, tmp_path, Inference("accuracy", 100)).leaderboard.set_index("classifier")
    assert board["status"].to_dict() == {"bayes": "ok", "tree": "ok", "svm": "failed in 4 of 4 folds"}


def test_only_a_higher_limit_computes_it_again(tmp_path: Path, registries: Methods) -> None:
    grid, store = make_grid(tmp_path, registries, ["bayes", "svm"]), RecordStore(tmp_path / "records")
    run_grid(grid, store, Interrupts(exceeding(keys_of(grid, "svm"))))
    for limits, cells in (
        (Limits(), FOLDS), (Limits(seconds=6), FOLDS), (Limits(seconds=5), 0), (Limits(seconds=2), 0),
        (Limits(memory=1), FOLDS),
    ):  # fmt: skip
        assert sum(len(unit.classifiers) for unit in pending_units(grid, store, limits)) == cells
    run_grid(grid, store, InProcess(Limits(seconds=6)))
    keys = {key for name in ("bayes", "svm") for key in keys_of(grid, name)}
    assert finished_keys(grid, store) == keys


def test_where_the_selector_is_stopped_so_are_its_rows(tmp_path: Path, registries: Methods) -> None:
    grid = make_grid(tmp_path, registries, ["bayes", "tree"], ("anova", "none"))
    store, begun = RecordStore(tmp_path / "records"), list[str]()

    def first_selector(step: str) -> Stop | None:
        begun.append(step)
        slow = step == "selector" and begun.count("selector") > FOLDS  # units without reduction come first
        return Stop(step, "it took long", {"seconds": 5.0}) if slow else None

    run_grid(grid, store, Interrupts(first_selector))
    assert begun.count("selector") == FOLDS + 1
    board = write_scores(grid, store, tmp_path, Inference("accuracy", 100)).leaderboard
    assert board.set_index("selector")["status"].to_dict() == {"none": "ok", "anova": "failed in 4 of 4 folds"}


@pytest.mark.parametrize(("deaths", "status"), [(1, "ok"), (2, "failed in 1 of 4 folds")])
def test_what_died_is_tried_once_more_alone(tmp_path: Path, registries: Methods, deaths: int, status: str) -> None:
    grid, store = make_grid(tmp_path, registries, ["bayes", "tree"]), RecordStore(tmp_path / "records")
    first, seen = keys_of(grid, "bayes")[0], list[str]()

    def dies(step: str) -> Stop | None:
        seen.append(step)
        return Stop(step, "the process died") if step == first and seen.count(first) <= deaths else None

    run_grid(grid, store, Interrupts(dies))
    assert seen.index(first) < seen.index(keys_of(grid, "tree")[-1]) < len(seen) - 1
    assert seen[-1] == first
    scored = write_scores(grid, store, tmp_path, Inference("accuracy", 100))
    assert scored.leaderboard.set_index("classifier")["status"].to_dict() == {"bayes": status, "tree": "ok"}
    assert scored.notes["text"].eq("The fit did not finish: the process died.").sum() == deaths - 1


def test_after_the_deadline_nothing_is_begun_and_the_rest_is_not_reached(tmp_path: Path, registries: Methods) -> None:
    grid, store = make_grid(tmp_path, registries, ["bayes", "svm", "tree"]), RecordStore(tmp_path / "records")

    class Ends(InProcess):
        """Its time is over after eleven of the twelve units."""

        def map(
            self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
        ) -> Iterator[tuple[int, Any]]:
            yield from super().map(work, [piece for _, piece in zip(range(11), pieces, strict=False)], stopped)

    run_grid(grid, store, Ends(Limits(deadline=time.monotonic() + 1000)))
    scored = write_scores(grid, store, tmp_path, Inference("accuracy", 100))
    board = scored.leaderboard.set_index("classifier")
    assert board["status"].to_dict() == {"bayes": "ok", "svm": "ok", "tree": "not reached in 1 of 4 folds"}
    assert np.isnan(board.loc["tree", ["accuracy", "fit_s"]].astype(float)).all()
    assert not len(scored.notes)
    assert scored.winner is not None
    assert scored.winner["picked_among"] == 2
    run_grid(grid, store, InProcess(Limits(deadline=time.monotonic() - 1)))
    assert len(pending_units(grid, store)) == 1
    run_grid(grid, store, InProcess())
    again = write_scores(grid, store, tmp_path, Inference("accuracy", 100))
    assert again.leaderboard["status"].eq("ok").all()


def test_the_cheapest_come_first_fold_by_fold_and_baselines_before_them(tmp_path: Path, registries: Methods) -> None:
    from leukobench.classifiers import CLASSIFIERS
    from leukobench.evaluation.methods import make_method
    from leukobench.selection import SELECTORS

    grid = make_grid(tmp_path, registries, [])
    selectors = [make_method(SELECTORS, name, {}, name, 0) for name in ("pca", "none", "anova")]
    names = ["xgboost", "svm_rbf", "naive_bayes"]
    classifiers = [make_method(CLASSIFIERS, name, {}, name, 0) for name in names]
    own = make_method(registries[1], "tree", {}, "tree", 0)
    baseline = Combination(FeatureSource("shortcut: z", tmp_path / "x.npy", "z"), selectors[1], own, "shortcut")
    grid = replace(grid, selectors=selectors, classifiers=[*classifiers, own], baselines=[baseline])
    units = cheapest_first(grid, grid.pending(set()))
    order = [(u.source.label, u.selector.label, [method.label for _, method in u.classifiers]) for u in units]
    assert order[::FOLDS] == [
        ("shortcut: z", "none", ["tree"]),
        ("x", "none", ["naive_bayes"]),
        ("x", "none", ["svm_rbf"]),
        ("x", "anova", ["naive_bayes", "svm_rbf", "xgboost"]),
        ("x", "none", ["xgboost"]),
        ("x", "pca", ["naive_bayes", "svm_rbf", "xgboost"]),
        ("x", "anova", ["tree"]),
        ("x", "none", ["tree"]),
        ("x", "pca", ["tree"]),
    ]
    assert [unit.fold.number for unit in units] == [0, 1, 2, 3] * (len(units) // FOLDS)
    later = cheapest_first(grid, grid.pending({key for unit in units[:9] for key, _ in unit.classifiers}))
    assert later == units[9:]


def test_more_features_cost_more_only_where_all_are_kept(tmp_path: Path) -> None:
    from leukobench.classifiers import CLASSIFIERS
    from leukobench.evaluation.methods import make_method
    from leukobench.selection import SELECTORS

    knn = make_method(CLASSIFIERS, "knn", {}, "knn", 0)
    none, anova = (make_method(SELECTORS, name, {}, name, 0) for name in ("none", "anova"))
    assert expected_seconds(400, none, knn) > expected_seconds(200, none, knn)
    assert expected_seconds(400, anova, knn) == expected_seconds(4000, anova, knn)


@pytest.mark.slow
def test_a_fit_that_sleeps_in_c_or_eats_memory_is_ended_from_outside_also_with_one_worker(
    tmp_path: Path, registries: Methods, plugin: str
) -> None:
    registries[1].add("sleeps", f"{plugin}:SleepsInC")
    registries[1].add("eats", f"{plugin}:EatsMemory")
    grid, store = (
        make_grid(tmp_path, registries, ["bayes", "sleeps", "eats", "tree"]),
        RecordStore(tmp_path / "records"),
    )
    grid = replace(grid, folds=grid.folds[:1])
    run_grid(grid, store, Processes(1, Limits(seconds=12, memory=1.5e9)))
    records = {one.labels[2]: store.read(grid.key(one, grid.folds[0])) for one in grid.combinations()}
    assert {name: record.error for name, record in records.items() if record} == {
        "bayes": "",
        "sleeps": "The fit was stopped: it took more than the limit of 12 s.",
        "eats": "The fit was stopped: it took more memory than the limit of 1.5 GB.",
        "tree": "",
    }
