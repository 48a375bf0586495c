"""Verify a run: compute its numbers again from its predictions, and compare its files with their digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StorageError
from ..evaluation.combination_names import NAMES
from ..evaluation.records import COSTS
from ..evaluation.scores import Scored
from ..machine import Executor, Progress
from ..runs.finished import read_table
from ..runs.progress import silent
from .compared_tables import Check, Mismatch, compare_tables, joined
from .recomputation import Recomputed, recompute
from .stored_results import StoredResults
from .verified_answer import check_answer
from .verified_files import check_files, check_images
from .verified_folds import check_drawn, check_folds
from .verified_grid import check_grid
from .verified_rerun import check_rerun
from .verified_test import can_be_checked, check_test

if TYPE_CHECKING:
    import pandas as pd

_KEYS = list(NAMES)
_OF_FOLDS = [*_KEYS, "repeat", "fold", "metric"]
_TABLES = {
    "comparisons.csv": _KEYS,
    "classes.csv": [*_KEYS, "label"],
    "confusion.parquet": [*_KEYS, "label", "predicted"],
    "reliability.parquet": [*_KEYS, "bin"],
    "patients.parquet": [*_KEYS, "patient"],
    "patient_scores.csv": _KEYS,
}
"""File -> columns that name its rows."""
_BOARD, _SCORES, _ANSWER = "leaderboard.csv", "scores.parquet", "answer.json"
_REST: dict[str, str] = {
    "costs.json": "seconds and bytes were measured while it ran",
    "stability.csv": "which features were chosen is not among the predictions",
    "tuned.csv": "which parameters were chosen is not among the predictions",
    "learning_curves.csv": "losses were measured while networks were trained",
    "head_to_head.csv": "it holds costs, which were measured while it ran",
    "failures.csv": "it needs measurements of the images",
    "views.csv": "predictions of views are not kept; only the verdicts on them are compared, in answer.json",
    "leakage.csv": "predictions of the leaking protocols are not kept",
    "across_sites.csv": "trained without each site: another design, which is not computed again here",
    "report.html": "drawn from the tables; only its digest is compared",
    "audit": "it needs the images",
}
"""File or folder -> why nothing of it is computed again."""


@dataclass(frozen=True)
class Unverified:
    """Numbers that the predictions do not decide, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Verification:
    """What was compared, and what could not be.

    Attributes
    ----------
    folder : Path
    tolerance : float
        Difference up to which numbers agree: absolute below 1, relative above.
    checks : tuple of Check
    unverified : tuple of Unverified
    """

    folder: Path
    tolerance: float
    checks: tuple[Check, ...]
    unverified: tuple[Unverified, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """Whether everything that was compared does."""
        return not self.differ

    @property
    def differ(self) -> int:
        """Values that do not agree."""
        return sum(check.differ for check in self.checks)

    @property
    def mismatches(self) -> list[Mismatch]:
        """The first of each check."""
        return [one for check in self.checks for one in check.mismatches]

    def lines(self) -> list[str]:
        """A short table, the first mismatches, and what was not verified."""
        width = max(len(check.what) for check in self.checks)
        lines = [f"{'compared':{width}}  {'values':>10}  {'agree':>10}  largest difference"]
        for check in self.checks:
            gap = f"{check.largest:.1e}" if check.largest else "0"
            lines.append(f"{check.what:{width}}  {check.compared:>10,}  {check.agree:>10,}  {gap}")
        lines += [f"DIFFERS: {one.words}" for one in self.mismatches]
        lines += [f"not verified: {one.what}: {one.reason}" for one in self.unverified]
        compared = sum(check.compared for check in self.checks)
        verdict = f"{compared:,} values agree" if self.agrees else f"{self.differ:,} of {compared:,} values DIFFER"
        return [*lines, f"{verdict}, up to {self.tolerance:g} (relative above 1)."]


def verify(
    path: str | Path,
    images: Path | None = None,
    rerun: Path | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compute every number of a finished run, or of published results, again from the predictions.

    Parameters
    ----------
    path : path-like
        ``results/NAME``, or a folder of published results.
    images : Path, optional
        Folder of the images, of which the bytes are compared, too.
    rerun : Path, optional
        A second run of the same experiment, of which the predictions are compared, too.
    executor : Executor, optional
        Measures many combinations at a time; in this process by default.
    progress : Progress

    Returns
    -------
    Verification

    Raises
    ------
    ConfigurationError
        It is no folder of results.
    StorageError
        A file cannot be read, although it is what the run wrote.
    """
    folder = Path(path)
    files = check_files(folder)
    try:
        stored = StoredResults.open(folder)
        optional = [check_images(stored, images, progress)] if images else []
        optional += [check_rerun(stored, rerun)] if rerun else []
        outcome = _verify(stored, [files, *optional], executor, progress)
        return replace(outcome, unverified=(*outcome.unverified, *_not_asked(images, rerun)))
    except (StorageError, KeyError, IndexError, ValueError, TypeError) as error:
        if not files.differ:
            raise _malformed(folder, error) from error
        damaged = Mismatch(files.mismatches[0].file, "", "", _malformed(folder, error).what, "tables that can be read")
        return Verification(folder, 0.0, (files, Check("reading", 1, 1, mismatches=(damaged,))))


def _malformed(folder: Path, error: Exception) -> StorageError:
    """An error of reading: of a table that is not as a run writes it, too."""
    if isinstance(error, StorageError):
        return error
    return StorageError(
        f"The tables in {folder} do not fit one another.",
        expected="tables as a run of this version writes them",
        received=f"{type(error).__name__}: {error}",
        fix="run the experiment again, or ask for the folder as it was written.",
    )


def _verify(
    stored: StoredResults, first: Sequence[Check], executor: Executor | None, progress: Progress
) -> Verification:
    checks = [*first, check_folds(stored)]
    if checks[-1].differ:
        reason = "the folds are not whole: see above"
        return Verification(stored.folder, stored.tolerance, tuple(checks), (Unverified("every number", reason),))
    drawn = check_drawn(stored)
    checks += [*([drawn] if drawn else []), check_grid(stored)]
    with progress("computing again", len(stored.leaderboard)) as advance:
        recomputed = recompute(stored, advance, executor)
    checks.append(joined("predictions.parquet", recomputed.facts))
    if (scored := recomputed.scored) is None:
        reason = "no combination has whole predictions"
        return Verification(stored.folder, stored.tolerance, tuple(checks), (Unverified("every number", reason),))
    checks += _check_scores(stored, scored, recomputed) + _check_tables(stored, scored)
    checks += check_answer(stored, scored)
    if tested := check_test(stored, executor):
        checks.append(joined("the given test part", tested))
    return Verification(stored.folder, stored.tolerance, tuple(checks), tuple(_unverified(stored, scored, drawn)))


def _check_scores(stored: StoredResults, scored: Scored, recomputed: Recomputed) -> list[Check]:
    """The leaderboard and the scores of folds, by the project's statistics and by other code."""
    board, tolerance = stored.leaderboard, stored.tolerance
    columns = [name for name in recomputed.plain if name in scored.leaderboard.columns]
    again, plain = scored.leaderboard, recomputed.plain[columns]
    checks = [compare_tables(_BOARD, _BOARD, board, again, _KEYS, tolerance), _check_order(board, again)]
    own = _those_of(board, plain)
    checks.append(compare_tables(f"{_BOARD}, by other code", _BOARD, own, plain, _KEYS, tolerance))
    published = read_table(stored.folder / _SCORES)
    if len(published.columns):
        scores = published[~published["metric"].isin(COSTS)]
        scores = _those_of(scores, scored.scores)
        checks.append(compare_tables(_SCORES, _SCORES, scores, scored.scores, _OF_FOLDS, tolerance))
        others = scores[scores["metric"].isin(recomputed.plain_folds["metric"].unique())]
        checks.append(
            compare_tables(f"{_SCORES}, by other code", _SCORES, others, recomputed.plain_folds, _OF_FOLDS, tolerance)
        )
    return checks


def _those_of(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Rows of combinations that `other` has, too: of those that failed only a part was predicted."""
    have = set(other[_KEYS].itertuples(index=False, name=None))
    return table[[row in have for row in table[_KEYS].itertuples(index=False, name=None)]]


def _check_order(board: pd.DataFrame, again: pd.DataFrame) -> Check:
    """Whether the rows stand in the order that follows from the predictions."""
    import pandas as pd

    def placed(table: pd.DataFrame) -> pd.DataFrame:
        names = table[_KEYS].astype(str).agg(" x ".join, axis=1)
        return pd.DataFrame({"place": range(1, len(names) + 1), "combination": names})

    return compare_tables(f"{_BOARD}, order", _BOARD, placed(board), placed(again), ["place"], 0.0)


def _check_tables(stored: StoredResults, scored: Scored) -> list[Check]:
    checks = []
    for name, keys in _TABLES.items():
        published, again = read_table(stored.folder / name), scored.tables.get(name)
        if again is not None and len(published.columns):
            checks.append(compare_tables(name, name, published, again, keys, stored.tolerance))
        elif again is not None and not stored.published:
            lost = Mismatch(name, "", "", "no such file", f"{len(again):,} rows")
            checks.append(Check(name, len(again), len(again), mismatches=(lost,)))
    return checks


def _unverified(stored: StoredResults, scored: Scored, drawn: Check | None) -> Sequence[Unverified]:
    covered = {"engine", *scored.leaderboard.columns}
    if can_be_checked(stored) and stored.answer.test:
        covered |= {f"test_{stored.answer.test.metric}{end}" for end in ("", "_low", "_high")}
    columns = [str(name) for name in stored.leaderboard if name not in covered]
    unverified = [
        Unverified(_BOARD, f"{', '.join(columns)}, engine: the predictions do not decide them"),
        Unverified(_ANSWER, "copies, failures, sites, numbers of views, and the protocol but for its images"),
        *(Unverified(name, reason) for name, reason in _REST.items() if (stored.folder / name).exists()),
    ]
    if stored.answer.test and not can_be_checked(stored):
        unverified.append(
            Unverified("test", "of the given test part something is in training, too, or its tables are not there")
        )
    if drawn is None:
        unverified.append(Unverified("how the folds were drawn", "they were given, or the images are not named"))
    return unverified


def _not_asked(images: Path | None, rerun: Path | None) -> list[Unverified]:
    """What an option would verify."""
    unverified = [] if images else [Unverified("the bytes of the images", "no --images FOLDER was named")]
    words = "no --rerun RUN was named; predictions that were made up would agree with their own numbers"
    return [*unverified, *([] if rerun else [Unverified("that the predictions were computed", words)])]
