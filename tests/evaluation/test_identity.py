"""What computes a record decides its key: every module of it, a new one too, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench import machine
from leukobench.classifiers import CLASSIFIERS
from leukobench.classifiers.cnns import CNNS
from leukobench.evaluation.folds import Fold
from leukobench.evaluation.grid import Combination, FeatureSource, Grid
from leukobench.evaluation.identity import NETWORK_RUNNER, RUNNER, method_code
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.task import Task
from leukobench.machine import DECIDE_NOTHING, imported_modules
from leukobench.selection import SELECTORS

METHODS = [(registry, name) for registry in (SELECTORS, CLASSIFIERS, CNNS) for name in registry.shipped_names()]


def key(selector: str = "anova", classifier: str = "svm_rbf", cnn: str = "") -> str:
    """Key of a record of two shipped methods; with `cnn`, of a network on pixels."""
    task = Task.of(["a", "b", "c", "d"], ["x", "y", "x", "y"], [0, 1, 2, 3])
    fold = Fold(0, 0, np.array([0, 1]), np.array([2, 3]))
    source = FeatureSource("features", Path("nowhere"), "identity", images=bool(cnn))
    deciding = make_method(CNNS, cnn, {}, cnn, 0) if cnn else make_method(CLASSIFIERS, classifier, {}, classifier, 0)
    combination = Combination(source, make_method(SELECTORS, selector, {}, selector, 0), deciding)
    return Grid(task, [fold], [], [], [], FitRules()).key(combination, fold)


@pytest.mark.parametrize("runner", [RUNNER, NETWORK_RUNNER])
def test_every_module_of_a_runner_decides_its_records(runner: str, edit: Any) -> None:
    cnn = "custom_cnn" if runner == NETWORK_RUNNER else ""
    for module in sorted(imported_modules(runner)):
        before = key(cnn=cnn)
        edit(module)
        assert (key(cnn=cnn) != before) == (module not in DECIDE_NOTHING), module


def test_every_module_of_a_method_decides_its_records(edit: Any) -> None:
    for registry, name in METHODS:
        assert registry.module(name) in imported_modules(registry.module(name))
        for module in sorted(imported_modules(registry.module(name))):
            before = method_code(registry, name)
            edit(module)
            assert (method_code(registry, name) != before) == (module not in DECIDE_NOTHING), (name, module)


def test_a_new_helper_of_the_evaluation_decides_records(edit: Any) -> None:
    before = key()
    edit("evaluation.weighing")
    assert key() == before
    edit("evaluation.methods", "from .weighing import anything")
    edited = key()
    edit("evaluation.weighing")
    assert len({before, edited, key()}) == 3


def test_records_do_not_depend_on_the_code_of_other_methods(edit: Any) -> None:
    before = key(), key(classifier="lda"), key(selector="pca"), key(cnn="custom_cnn")
    edit("classifiers.svm")
    edit("selection.pca")
    after = key(), key(classifier="lda"), key(selector="pca"), key(cnn="custom_cnn")
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, False, True]
    edit("classifiers.cnns.training")
    assert (key() == after[0], key(cnn="custom_cnn") == after[3]) == (True, False)


def test_every_module_that_decides_nothing_has_a_reason_and_is_there() -> None:
    for module, reason in DECIDE_NOTHING.items():
        assert machine._source(module).is_file()
        assert len(reason) >= len("names alone")


def test_the_search_of_optuna_depends_on_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = FitRules(tuning="optuna"), FitRules(tuning="grid")
    before = [one.identity() for one in rules]
    monkeypatch.setattr("leukobench.evaluation.methods.installed_versions", lambda names: {names[0]: "another"})
    assert [old == one.identity() for old, one in zip(before, rules, strict=True)] == [False, True]
