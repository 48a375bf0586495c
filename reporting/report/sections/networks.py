"""Networks trained end to end, compared with frozen features; learning curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....evaluation.combination_names import NAMES, names_of
from ....evaluation.metrics import ACCURACY, ECE, LOG_LOSS, RANK_BY
from ....runs.finished import FinishedRun, Row, records
from ..charts import Chart, Scale, whisker
from ..numbers import as_number, limits_text, score_text, title_of
from ..section import Section, View, fragment

if TYPE_CHECKING:
    import pandas as pd

_SCORES = (ACCURACY.name, ECE.name, LOG_LOSS.name)
_LEAST_LOSS = 1e-4
_DRAWN = 8


def section(run: FinishedRun) -> Section | None:
    """None where no network was trained."""
    networks = head_to_head(run)
    if networks is None:
        return None
    html = fragment("networks", networks=networks, curves=curves(run))
    return Section("Trained networks against frozen features", html, nav="Networks")


def head_to_head(run: FinishedRun) -> View | None:
    """Networks and the best of each extractor: score with its interval, calibration, times, sizes."""
    table, metric = run.table("head_to_head.csv"), run.metric
    if not len(table):
        return None
    columns = [name for name in _SCORES if name in table and name != metric]
    ranked = metric if metric in table else RANK_BY
    rows = records(table)
    scale = Scale.around(as_number(row.get(f"{ranked}{end}")) for row in rows for end in ("", "_low", "_high"))
    return {"metric": ranked, "columns": columns, "rows": [_row(row, ranked, columns, scale) for row in rows]}


def _row(row: Row, metric: str, columns: list[str], scale: Scale) -> View:
    value, low, high = (as_number(row.get(f"{metric}{end}")) for end in ("", "_low", "_high"))
    return {
        "rank": int(row["rank"]),
        "title": title_of(names_of(row)),
        "trained": row["trained"],
        "line": whisker(scale, value, low, high),
        "value": score_text(metric, value),
        "interval": limits_text(metric, low, high),
        "others": [score_text(name, row[name]) for name in columns],
        "train_s": as_number(row["train_s"]),
        "predict_s": as_number(row["predict_ms"]) / 1000,
        "parameters": as_number(row["parameters"]) / 1e6,
        "model_mb": as_number(row["model_mb"]),
    }


def curves(run: FinishedRun) -> list[View]:
    """Loss of every epoch and fold, of the networks that were trained end to end."""
    table = run.table("learning_curves.csv")
    if not len(table):
        return []
    table = table[table["extractor"] == "pixels"]
    names = table[list(NAMES)].drop_duplicates().itertuples(index=False, name=None)
    drawn = [_curve(key, table[(table[list(NAMES)] == list(key)).all(axis=1)]) for key in names]
    return drawn[:_DRAWN]


def _curve(key: tuple[str, ...], table: pd.DataFrame) -> View:
    """Epochs of all phases one after the other; where a phase stopped early in one fold, the next begins later."""
    phases = list(dict.fromkeys(table["phase"]))
    lengths = table.groupby("phase")["epoch"].max()
    begins = {phase: int(lengths[phases[:place]].sum()) for place, phase in enumerate(phases)}
    losses = [
        max(value, _LEAST_LOSS) for name in ("loss", "validation_loss") for value in table[name] if math.isfinite(value)
    ]
    last = int(lengths.sum())
    chart = Chart(
        Scale(0, max(last, 2)), Scale.decades(losses), "epoch", "loss", f"Loss of {key[-1]} over {last} epochs",
        height=300, percent=(False, False),
    )  # fmt: skip
    for row in records(table):
        place = begins[row["phase"]] + row["epoch"]
        where = f"fold {row['fold']}, {row['phase']}, epoch {row['epoch']}"
        for name, kind in (("loss", "front"), ("validation_loss", "shortcut")):
            if math.isfinite(row[name]):
                text = f"{where}: {name.replace('_', ' ')} {row[name]:.3g}"
                chart.point(place, max(row[name], _LEAST_LOSS), text, kind, radius=2.0)
    ends = [f"{phase} to epoch {begins[phase] + int(lengths[phase])}" for phase in phases]
    return {"title": key[-1], "chart": chart, "phases": ", ".join(ends), "folds": _folds(table)}


def _folds(table: pd.DataFrame) -> int:
    return len(table[["repeat", "fold"]].drop_duplicates())
