"""Find suspects: images whose label the good combinations contradict, in a table for a person to correct."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audit.corrections import COLUMN, read_corrections
from ..audit.pictures import Picture, draw_pictures
from ..errors import ConfigurationError
from ..evaluation.combination_names import NAMES
from ..evaluation.grid import Grid
from ..evaluation.records import RecordStore
from ..evaluation.scores import Scored
from ..evaluation.statistics.suspects import NEARLY_ALL, Pool, Suspects
from ..evaluation.stored_predictions import cells_of, out_of_fold
from ..images.index import ImageIndex
from ..reporting.label_words import suspects_words
from ..runs.label_answer import LabelSuspects
from ..runs.workspace import Workspace
from .audit_index import Audited
from .prepare_run import PreparedRun
from .write_images import set_aside

if TYPE_CHECKING:
    import pandas as pd

TABLE = "suspects.csv"
SHEETS = "sheets"
_LEAST, _SHEETS = 10, 2
"""So many combinations are asked at least, if there are so many, and so many sheets drawn at most."""
_TEXTS = (COLUMN, "path", "label", "suggested", "image_id", "patient")


def find_suspects(
    grid: Grid, store: RecordStore, scored: Scored, prepared: PreparedRun, audited: Audited, workspace: Workspace
) -> LabelSuspects | None:
    """Pool the best combinations, and rank the images whose label they contradict; None without a combination.

    Those that may be the best take part, and the ten that are ranked first. Writes ``suspects.csv``, in which
    corrections that a person filled in before stay, and its contact sheets.
    """
    names = good_combinations(scored.leaderboard)
    pool = Pool(grid.task.labels, len(grid.task.classes))
    for combination in grid.combinations():
        if combination.labels in names:
            probabilities = out_of_fold(grid, cells_of(grid, store, combination))
            if probabilities is not None:
                pool.add(probabilities)
    if not pool.added:
        return None
    suspects, folder = pool.suspects(), workspace.folder.path
    table = suspects_table(suspects, grid.task.classes, audited.index)
    workspace.folder.write_table(TABLE, with_earlier(table, folder / TABLE))
    rows = table.to_dict("records")
    draw_pictures("suspects", [_picture(row, pool.added) for row in rows], folder / SHEETS, _SHEETS)
    clear = int((suspects.against >= NEARLY_ALL).sum())
    answer = LabelSuspects(len(grid.task), pool.added, len(table), clear)
    images = prepared.experiment.images
    return replace(answer, words=suspects_words(answer, rows[0] if rows else {}, str(images.copies)))


def good_combinations(leaderboard: pd.DataFrame) -> set[tuple[str, ...]]:
    """Names of the combinations that may be the best, and of those that are ranked first."""
    rows = leaderboard[(leaderboard["kind"] == "combination") & leaderboard["rank"].notna()]
    good = rows["in_best_set"].eq(True).to_numpy() | (np.arange(len(rows)) < _LEAST)
    return set(rows.loc[good, list(NAMES)].itertuples(index=False, name=None))


def suspects_table(suspects: Suspects, classes: tuple[str, ...], index: ImageIndex) -> pd.DataFrame:
    """Table for ``suspects.csv``, the most doubtful label first; its first column is for a person's correction."""
    table = index.table().loc[suspects.rows, ["path", "label", "patient", "group", "row", "image_id"]]
    table.insert(2, "suggested", np.array(classes, dtype=object)[suspects.suggested])
    table.insert(3, "p_label", suspects.own.round(6))
    table.insert(4, "p_suggested", suspects.other.round(6))
    table.insert(5, "against", suspects.against.round(4))
    table.insert(0, COLUMN, "")
    return table.reset_index(drop=True)


def with_earlier(table: pd.DataFrame, earlier: Path) -> pd.DataFrame:
    """The table, with the corrections of an earlier one; those of images that are no suspects any more come last."""
    import pandas as pd

    if not earlier.exists():
        return table
    try:
        rows = [row for _, row in read_corrections(earlier)]
    except ConfigurationError:
        set_aside(earlier)
        return table
    filled = {row.get("path", ""): row for row in rows}
    corrected = [filled[path][COLUMN] if path in filled else "" for path in table["path"]]
    others = [row for path, row in filled.items() if path not in set(table["path"])]
    table = table.assign(**{COLUMN: corrected})
    if not others:
        return table
    appended = pd.DataFrame(others).reindex(columns=table.columns)
    numbers = {name: pd.to_numeric(appended[name], errors="coerce") for name in table.columns.difference([*_TEXTS])}
    joined = pd.concat([table, appended.assign(**numbers)], ignore_index=True)
    return joined.astype({"group": "Int64", "row": "Int64"})


def _picture(row: dict[Any, Any], combinations: int) -> Picture:
    votes = f"{row['against'] * combinations:.0f} of {combinations}"
    p = "p<0.001" if row["p_label"] < 0.001 else f"p {row['p_label']:.3f}"
    lines = f"predicted {row['suggested']}", f"{p}, {votes} against"
    return Picture(row["path"], f"labelled {row['label']}", lines)
