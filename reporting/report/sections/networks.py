"""Networks trained end to end, compared with frozen features; learning curves."""

from __future__ import annotations

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import ACCURACY, ECE, LOG_LOSS, RANK_BY
from ....runs.finished import FinishedRun, Row, records
from ...figures.losses import loss_figures
from ..charts import Scale, whisker
from ..interactive import figure_html
from ..numbers import as_number, limits_text, score_text, title_of
from ..section import Section, View, fragment

_SCORES = (ACCURACY.name, ECE.name, LOG_LOSS.name)


def section(run: FinishedRun) -> Section | None:
    """None where no network was trained."""
    networks = head_to_head(run)
    if networks is None:
        return None
    figures = tuple(loss_figures(run))
    html = fragment("networks", networks=networks, curves=[figure_html(one) for one in figures])
    first = networks["rows"][0]  # `head_to_head` has none without rows
    finding = f"{first['title']} is first, with {first['value']}"
    return Section("Trained networks against frozen features", html, nav="Networks", figures=figures, finding=finding)


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
