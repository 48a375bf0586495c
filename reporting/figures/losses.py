"""Losses of networks that were trained end to end, by epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...evaluation.combination_names import NAMES
from ...runs.finished import FinishedRun, records
from ..vega import MARK, SHORTCUT, Figure, chart
from .axes import Axis, Domain, fitted

if TYPE_CHECKING:
    import pandas as pd

_LEAST = 1e-4
_DRAWN = 8
_KINDS = {"loss": "training", "validation_loss": "inner validation"}


def loss_figures(run: FinishedRun) -> list[Figure]:
    """One of each of the first networks; none where none was trained."""
    table = run.table("learning_curves.csv")
    if not len(table):
        return []
    table = table[table["extractor"] == "pixels"]
    names = list(table[list(NAMES)].drop_duplicates().itertuples(index=False, name=None))[:_DRAWN]
    return [
        _figure(str(key[-1]), f"losses-{place}", table[(table[list(NAMES)] == list(key)).all(axis=1)])
        for place, key in enumerate(names, 1)
    ]


def _figure(title: str, name: str, table: pd.DataFrame) -> Figure:
    """Epochs of all phases one after the other; where a phase stopped early in one fold, the next begins later."""
    import altair as alt

    phases = list(dict.fromkeys(table["phase"]))
    lengths = table.groupby("phase")["epoch"].max()
    begins = {phase: int(lengths[phases[:place]].sum()) for place, phase in enumerate(phases)}
    rows = [
        {"epoch": begins[row["phase"]] + row["epoch"], "loss": max(row[kind], _LEAST), "kind": words,
         "line": f"{row['repeat']}-{row['fold']}-{kind}",
         "title": f"fold {row['fold']}, {row['phase']}, epoch {row['epoch']}: {words} loss {row[kind]:.3g}"}
        for row in records(table) for kind, words in _KINDS.items() if math.isfinite(row[kind])
    ]  # fmt: skip
    last = int(lengths.sum())
    x = Axis("epoch", Domain(0, max(last, 2))).channel(alt.X, "epoch")
    y = Axis("loss", Domain.decades(row["loss"] for row in rows), log=True).channel(alt.Y, "loss")
    scale = alt.Scale(domain=list(_KINDS.values()), range=[MARK, SHORTCUT])
    dashes = alt.StrokeDash("kind:N", scale=alt.Scale(domain=list(_KINDS.values()), range=[[1, 0], [4, 3]]))
    lines = chart(rows).mark_line(strokeWidth=1.2, opacity=0.8, point={"size": 14, "filled": True}).encode(
        x=x, y=y, detail="line:N", color=alt.Color("kind:N", scale=scale), strokeDash=dashes,
        tooltip=alt.Tooltip("title:N", title="\N{BULLET}"),
    )  # fmt: skip
    folds = len(table[["repeat", "fold"]].drop_duplicates())
    ends = ", ".join(f"{phase} to epoch {begins[phase] + int(lengths[phase])}" for phase in phases)
    note = f"{folds} folds: {ends}."
    return Figure(
        name, title, f"Loss of {title} over {last} epochs, a line for each fold. {note}", fitted(lines), note=note
    )
