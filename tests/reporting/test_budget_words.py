"""What was not reached, counted from the leaderboard."""

from __future__ import annotations

import pandas as pd

from leukobench.reporting.budget_words import budget_of

OK, FAILED, LACKING = "ok", "failed in 1 of 5 folds", "not reached in 2 of 5 folds"


def board(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["kind", "status"])


def test_nothing_is_said_where_everything_was_reached() -> None:
    assert budget_of(board(("combination", OK), ("combination", FAILED)), rest=False) is None


def test_combinations_and_baselines_are_counted_apart() -> None:
    rows = board(("combination", OK), ("combination", FAILED), ("combination", LACKING), ("shortcut", LACKING))
    budget = budget_of(rows, rest=True)
    assert budget is not None
    assert (budget.combinations, budget.reached) == (3, 2)
    assert (
        "2 of 3 combinations were finished on all folds; the best is named, and corrected, among these" in budget.words
    )
    assert "1 rows of shortcuts and controls are lacking" in budget.words


def test_where_none_was_reached_no_best_is_spoken_of() -> None:
    budget = budget_of(board(("combination", LACKING)), rest=False)
    assert budget is not None
    assert budget.reached == 0
    assert "the best" not in budget.words


def test_views_alone_may_be_lacking() -> None:
    budget = budget_of(board(("combination", OK)), rest=True)
    assert budget is not None
    assert budget.words.startswith("The budget of time ended after all 1 combinations, before the rest.")
