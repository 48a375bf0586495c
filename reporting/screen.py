"""The leaderboard on the screen."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import visible
from ..evaluation.combination_names import FAILED, NAMES, NOT_REACHED, names_of, title
from ..evaluation.metric import Metric
from ..evaluation.metrics import RANK_BY, ranking_metrics
from ..evaluation.records import FIT_S, PREDICT_S, SELECTOR_S
from ..evaluation.site_scores import ACROSS

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

_ROWS = 12
_FEW = 2
_WIDE = 150
_LEGEND = "value [95 % interval over groups]; = : with 95 % confidence the best of these fitted models is among these"


def show_leaderboard(
    table: pd.DataFrame,
    protocol: list[str],
    rank_by: str = RANK_BY,
    stream: TextIO | None = None,
    reasons: Mapping[tuple[str, ...], str] | None = None,
) -> None:
    """Show the best rows, those that are no candidates, the failed rows, and the protocol that all numbers come from.

    `reasons` says in a line why a row failed; rows that were not reached are counted. The metric `rank_by` comes first.
    A narrow terminal gets fewer columns; a pipe gets all of them, never cut.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    console = Console(file=stream, width=None if stream.isatty() else 10_000, highlight=False, markup=False)
    for line in protocol:
        console.print(visible(line), soft_wrap=True)
    good, failed = table[table["rank"].notna()], table[table["status"].str.startswith(FAILED)]
    unreached = table[table["status"].str.startswith(NOT_REACHED)]
    others = table[(table["kind"] != "combination") & ~table.index.isin([*failed.index, *unreached.index])]
    if len(good):
        rows = table.loc[[*good.head(_ROWS).index, *others.index]]
        ranking = sorted(ranking_metrics().values(), key=lambda metric: metric.name != rank_by)
        shown = [metric for metric in ranking if metric.name in table]
        wide = console.width >= _WIDE
        console.print(_grid(rows, shown if wide else shown[:_FEW], wide))
        console.print(_LEGEND, soft_wrap=True)
    if len(good) > _ROWS:
        console.print(f"... and {len(good) - _ROWS} more combinations in leaderboard.csv")
    for row in failed.itertuples():
        names = str(row.extractor), str(row.selector), str(row.classifier)
        words = [f"FAILED: {title(names)}", str(row.status), *filter(None, [(reasons or {}).get(names)])]
        console.print(visible(": ".join(words)), soft_wrap=True)
    if len(unreached):
        console.print(f"NOT REACHED in every fold: {len(unreached)} rows of leaderboard.csv")


def _grid(rows: pd.DataFrame, metrics: Sequence[Metric], wide: bool) -> Table:
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD)
    for name in ("", *NAMES):
        grid.add_column(name, overflow="fold")
    tested = f"test_{metrics[0].name}" if metrics and f"test_{metrics[0].name}" in rows else ""
    across = ACROSS in rows
    heads = [metric.title for metric in metrics]
    heads[1:1] = [*(["given test part"] if tested else []), *(["across sites"] if across else [])]
    for name in (*heads, "features", "fit s", "predict s"):
        grid.add_column(name, justify="right", no_wrap=True)
    engines = wide and "engine" in rows
    if engines:
        grid.add_column("engine", overflow="fold")
    remarks = (rows["status"] != "ok").any()
    if remarks:
        grid.add_column("remark", overflow="fold")
    for row in rows.to_dict("records"):
        scores = [metric.of_row(row) for metric in metrics]
        further = [*([tested] if tested else []), *([ACROSS] if across else [])]
        scores[1:1] = [_beside(row, metrics[0], column) for column in further]
        costs = [f"{row['features']:.0f}", f"{row[SELECTOR_S] + row[FIT_S]:.2f}", f"{row[PREDICT_S]:.3f}"]
        names = [_place(row), *names_of(row)]
        engine = [row["engine"]] if engines else []
        remark = [row["status"].removeprefix("ok")] if remarks else []
        grid.add_row(*map(visible, [*names, *scores, *costs, *engine, *remark]))
    return grid


def _beside(row: dict[Hashable, Any], metric: Metric, column: str) -> str:
    """The same score of other images, or of models that were trained without each site."""
    return metric.with_interval(*(row[f"{column}{end}"] for end in ("", "_low", "_high")))


def _place(row: dict[Hashable, Any]) -> str:
    """Rank, with a sign for those that the best is among; nothing for what is no candidate."""
    if row["kind"] != "combination":
        return ""
    return f"{row['rank']}{'  =' if row['in_best_set'] is True else ''}"
