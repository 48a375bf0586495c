"""Permutations: which combinations, their own labels and folds, kept records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.evaluation.methods import Method
from leukobench.pipeline import run
from leukobench.steps.fit_permutations import permuted_combinations


def methods(*names: str) -> list[Method]:
    return [Method(name, None, {"name": name}) for name in names]


def test_few_combinations_are_all_permuted() -> None:
    chosen, words = permuted_combinations(["x", "y"], methods("none", "rfe"), methods("lda", "knn"))
    assert len(chosen) == 8
    assert words == "all 8 combinations"


def test_of_many_every_part_takes_part() -> None:
    selectors, classifiers = methods("none", "anova", "rfe"), methods("svm", "logistic_regression", "knn", "lda", "nb")
    chosen, words = permuted_combinations(["x", "y"], selectors, classifiers)
    centred = {(source, one.label, "logistic_regression") for source in ("x", "y") for one in selectors}
    assert chosen == centred | {("x", "anova", one.label) for one in classifiers}
    assert words == (
        "10 combinations (every extractor and selector with logistic_regression, every classifier on x x anova)"
    )
    other, _ = permuted_combinations(["x", "y"], methods("none", "rfe", "pca"), methods("svm", "knn", "a", "b", "c"))
    assert ("y", "none", "svm") in other


@pytest.mark.slow
def test_each_permutation_has_its_own_scores_and_is_kept(experiment: Any) -> None:
    outcome = run(experiment().with_permuted_labels(5), workers=1)
    table = pd.read_csv(outcome.folder / "permutations.csv")
    assert table.groupby("permutation").size().tolist() == [4] * 5
    assert table.groupby(["selector", "classifier"])["balanced_accuracy"].nunique().min() > 1
    first = table[table["permutation"] == 0].set_index(["extractor", "selector", "classifier"])["balanced_accuracy"]
    board = outcome.leaderboard[outcome.leaderboard["kind"] == "combination"]
    board = board.set_index(["extractor", "selector", "classifier"])["balanced_accuracy"]
    np.testing.assert_allclose(first.sort_index(), board.sort_index())
    chance = outcome.answer.chance
    assert chance is not None
    assert (chance.permutations, chance.combinations, chance.at_chance) == (5, 4, True)
    assert outcome.answer.sentences[0].startswith("PERMUTED LABELS, at chance: the highest mean of all 4 combinations")
    records = sorted((outcome.folder / "records").iterdir())
    stamps = [path.stat().st_mtime_ns for path in records]
    more = run(experiment().with_permuted_labels(6), workers=1)
    assert not more.reused
    assert [path.stat().st_mtime_ns for path in records] == stamps
    assert pd.read_csv(more.folder / "permutations.csv").iloc[: len(table)].equals(table)
