"""The given test part, computed again: every combination on images that no choice has seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..evaluation.combination_names import NAMES, Names, rows_of
from ..machine import Executor
from ..reporting.split_words import test_words
from ..runs.finished import read_table
from ..runs.stored import plain
from ..steps.score_sealed import unbeaten
from .compared_tables import Check, compare_tables, compare_values
from .prediction_file import PredictionFile
from .recomputation import analysis_of, recompute
from .stored_results import TEST, StoredResults

if TYPE_CHECKING:
    import pandas as pd

_BOARD, _RUN, _ANSWER = f"{TEST}/leaderboard.csv", "leaderboard.csv", "answer.json"
_TABLES = {
    "classes.csv": [*NAMES, "label"],
    "confusion.parquet": [*NAMES, "label", "predicted"],
    "patients.parquet": [*NAMES, "patient"],
    "patient_scores.csv": list(NAMES),
}
_OF_FOLDS = ("rank", "rank_low", "rank_high", "in_best_set", "folds", "status")
"""Columns that the test part has no say in."""


def can_be_checked(stored: StoredResults) -> bool:
    """Whether there is a test part, whose groups are all of its own: else they are numbered with those of training."""
    test = stored.answer.test
    if test is None or not (stored.folder / TEST / "predictions.parquet").is_file():
        return False
    return not (test.leaks.patients or test.leaks.copies)


def check_test(stored: StoredResults, executor: Executor | None = None) -> list[Check]:
    """Compare every number of the test part; none where there is none."""
    test = stored.answer.test
    if test is None or not can_be_checked(stored):
        return []
    part, keys, tolerance = stored.test_part(), list(NAMES), stored.tolerance
    recomputed = recompute(part, executor=executor)
    checks = list(recomputed.facts)
    if (scored := recomputed.scored) is None:
        return checks
    kept = [name for name in scored.leaderboard if name not in _OF_FOLDS and not str(name).endswith("_sd")]
    again = scored.leaderboard[kept]
    checks.append(compare_tables(_BOARD, _BOARD, part.leaderboard, again, keys, tolerance))
    plainly = recomputed.plain[[name for name in recomputed.plain if name in kept]]
    fitted = part.leaderboard[part.leaderboard["status"] != "failed"]
    checks.append(compare_tables("by other code", _BOARD, fitted, plainly, keys, tolerance))
    for name, columns in _TABLES.items():
        published, computed = read_table(part.folder / name), scored.tables.get(name)
        if computed is not None and len(published.columns):
            checks.append(compare_tables(name, f"{TEST}/{name}", published, computed, columns, tolerance))
    ends = {f"{test.metric}{end}": f"test_{test.metric}{end}" for end in ("", "_low", "_high")}
    own = again[[*keys, *ends]].rename(columns=ends)
    checks.append(compare_tables(_RUN, _RUN, stored.leaderboard, own, keys, tolerance))
    return [*checks, *_check_answer(stored, part, again)]


def _check_answer(stored: StoredResults, part: StoredResults, board: pd.DataFrame) -> list[Check]:
    """What the answer says of the test part: the score of the best, which shortcuts it does not beat, and the words."""
    test, winner = stored.answer.test, stored.answer.best
    if test is None or winner is None or not len(best := rows_of(board, winner.names)):
        return []
    ends = {"value": "", "low": "_low", "high": "_high"}
    numbers: dict[str, Any] = {name: plain(float(best[f"{test.metric}{end}"].iloc[0])) for name, end in ends.items()}
    numbers |= {"images": len(part.images), "unbeaten": _unbeaten(part, winner.names)}
    facts = numbers | {"words": test_words(replace(test, **numbers))}
    published = {f"test.{name}": value for name, value in test.to_json().items()}
    computed = {f"test.{name}": value for name, value in facts.items()}
    return [compare_values(_ANSWER, _ANSWER, published, computed, stored.tolerance)]


def _unbeaten(part: StoredResults, best: Names) -> tuple[str, ...]:
    """Shortcuts that the best combination, which is the only candidate here, does not beat."""
    analysis, file = analysis_of(part), PredictionFile(part.folder / "predictions.parquet")
    for names, kind in file.combinations:
        if names == best or kind == "shortcut":
            analysis.add(names, kind, file.probabilities(names, part.task.classes, part.fold_numbers.shape))
    return tuple(unbeaten(analysis))
