"""What a run did not reach before its time ended, counted and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..evaluation.combination_names import NOT_REACHED
from ..runs.budget_answer import Budget

if TYPE_CHECKING:
    import pandas as pd

_GO_ON = "The same command goes on from there."


def budget_of(leaderboard: pd.DataFrame, rest: bool, test: bool = False) -> Budget | None:
    """What was reached; None where that is everything.

    Parameters
    ----------
    leaderboard : DataFrame
    rest : bool
        Whether something else was not reached, such as the views.
    test : bool
        Whether there is a given test part, which stays closed until everything was reached.
    """
    lacking = leaderboard["status"].str.startswith(NOT_REACHED)
    candidates = leaderboard["kind"] == "combination"
    count, unreached = int(candidates.sum()), int((candidates & lacking).sum())
    if not rest and not lacking.any():
        return None
    words = _words(count, count - unreached, int((lacking & ~candidates).sum()))
    closed = ["The given test part stays closed until then."] if test else []
    return Budget(count, count - unreached, " ".join([words, *closed]))


def _words(count: int, reached: int, baselines: int) -> str:
    rows = f" {baselines} rows of shortcuts and controls are lacking." if baselines else ""
    if reached == count:
        return f"The budget of time ended after all {count} combinations, before the rest.{rows} {_GO_ON}"
    named = "; the best is named, and corrected, among these" if reached else ""
    return (
        f"NOT ALL REACHED: the budget of time ended when {reached} of {count} combinations were finished on all folds"
        f"{named}.{rows} {_GO_ON}"
    )
