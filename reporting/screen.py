"""The leaderboard on the screen, and as a table to be pasted elsewhere."""

from __future__ import annotations

import functools
import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import visible
from ..evaluation.combination_names import FAILED, NAMES, NOT_REACHED, names_of, short_name, title
from ..evaluation.metric import Metric
from ..evaluation.metrics import RANK_BY, metric_of, ranking_metrics
from ..evaluation.records import FIT_S, PREDICT_S, SELECTOR_S
from ..evaluation.site_scores import ACROSS
from .text_tables import FORMATS

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 12
_GAP = "  "
_LEGEND = (
    "value [95 % interval over groups]; = tied: with 95 % confidence the best of these fitted models is among these"
)


def show_leaderboard(
    table: pd.DataFrame,
    protocol: list[str],
    rank_by: str = RANK_BY,
    stream: TextIO | None = None,
    reasons: Mapping[tuple[str, ...], str] | None = None,
    wide: bool = False,
) -> None:
    """Show the best rows, those that are no candidates, the failed rows, and the protocol that all numbers come from.

    `reasons` says in a line why a row failed; rows that were not reached are counted. On a terminal, names and the
    metric `rank_by` always stand there, and what else fits beside them; `wide`, or a pipe, gets all, never cut.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    narrow = stream.isatty() and not wide
    console = Console(file=stream, width=None if narrow else 10_000, highlight=False, markup=False, emoji=False)
    for line in protocol:
        console.print(visible(line), soft_wrap=True)
    good, failed = table[table["rank"].notna()], table[table["status"].str.startswith(FAILED)]
    unreached = table[table["status"].str.startswith(NOT_REACHED)]
    if len(good):
        rows = _shown(table, _ROWS)
        beside = [one["kind"] != "combination" for one in rows] if narrow else [False] * len(rows)
        console.print()
        for line in _lines(_columns(rows, rank_by, short=narrow), console.width, beside):
            console.print(line, soft_wrap=True)
        console.print()
        console.print(_LEGEND, soft_wrap=True)
    if len(good) > _ROWS:
        console.print(f"... and {len(good) - _ROWS} more combinations in leaderboard.csv")
    for row in failed.itertuples():
        names = str(row.extractor), str(row.selector), str(row.classifier)
        words = [f"FAILED: {title(names)}", str(row.status), *filter(None, [(reasons or {}).get(names)])]
        console.print(visible(": ".join(words)), soft_wrap=True)
    if len(unreached):
        console.print(f"NOT REACHED in every fold: {len(unreached)} rows of leaderboard.csv")


def without_repeats(sentences: Sequence[str], protocol: Sequence[str]) -> list[str]:
    """The sentences without what the protocol, which stands above them, has said already."""
    stated = [f" {line[:1].upper()}{line[1:]}." for line in protocol]
    return [functools.reduce(lambda text, words: text.replace(words, ""), stated, one) for one in sentences]


def leaderboard_as(format_name: str, table: pd.DataFrame, rank_by: str = RANK_BY) -> str:
    """All rows that were scored, every name whole, in a format of `leukobench.reporting.text_tables.FORMATS`."""
    columns = _columns(_shown(table, len(table)), rank_by, short=False)
    heads = [head or "rank" for head in columns]
    rows = [[cell.strip() for cell in row] for row in zip(*columns.values(), strict=True)]
    return FORMATS[format_name](heads, rows)


def _shown(table: pd.DataFrame, most: int) -> list[dict[Hashable, Any]]:
    """The best rows, then those that are no candidates."""
    status, ranked = table["status"], table["rank"].notna()
    others = (table["kind"] != "combination") & ~status.str.startswith((FAILED, NOT_REACHED))
    rows = table.loc[[*table[ranked].head(most).index, *table[others].index]]
    return list(rows.to_dict("records"))


def _columns(rows: Sequence[dict[Hashable, Any]], rank_by: str, short: bool) -> dict[str, list[str]]:
    """Head -> cells: names and the score first, then the others by how much they matter."""
    columns = {"": [_place(row) for row in rows]}
    for position, name in enumerate(NAMES):
        names = [visible(names_of(row)[position]) for row in rows]
        columns[name] = [short_name(one) for one in names] if short else names
    present, ranking = rows[0].keys() if rows else (), metric_of(rank_by)
    columns[ranking.title] = [ranking.of_row(row) for row in rows]
    for column, head in ((f"test_{rank_by}", "given test part"), (ACROSS, "across sites")):
        if column in present:
            columns[head] = [_beside(row, ranking, column) for row in rows]
    if any(row["status"] != "ok" for row in rows):
        columns["remark"] = [visible(str(row["status"]).removeprefix("ok")) for row in rows]
    others = [metric for metric in ranking_metrics().values() if metric.name in present and metric.name != rank_by]
    for metric in others[:1]:
        columns[metric.title] = [metric.of_row(row) for row in rows]
    columns["features"] = [f"{row['features']:.0f}" for row in rows]
    columns["fit s"] = [f"{row[SELECTOR_S] + row[FIT_S]:.2f}" for row in rows]
    columns["predict s"] = [f"{row[PREDICT_S]:.3f}" for row in rows]
    for metric in others[1:]:
        columns[metric.title] = [metric.of_row(row) for row in rows]
    if "engine" in present:
        columns["engine"] = [visible(str(row["engine"])) for row in rows]
    return columns


def _lines(columns: Mapping[str, list[str]], width: int, beside: Sequence[bool]) -> list[str]:
    """A table of the first columns that fit; rank, names and score stand there whether they fit or not.

    `beside` are rows that are no candidates: only their first name is shown, across the columns of all three.
    """
    own = {head: [cell for cell, other in zip(cells, beside, strict=True) if not other or head not in NAMES]
           for head, cells in columns.items()}  # fmt: skip
    widths = {head: max(map(len, (head, *cells))) for head, cells in own.items()}
    across = [cell for cell, other in zip(columns[NAMES[0]], beside, strict=True) if other]
    missing = max(map(len, across), default=0) - sum(widths[name] for name in NAMES) - 2 * len(_GAP)
    widths[NAMES[0]] += max(0, missing)
    shown, taken = [], -len(_GAP)
    for place, (head, needed) in enumerate(widths.items()):
        if place > len(NAMES) + 1 and taken + len(_GAP) + needed > width:
            continue
        shown.append(head)
        taken += len(_GAP) + needed
    lines = [_line({head: head for head in shown}, widths)]
    for position, other in enumerate(beside):
        cells = {head: columns[head][position] for head in shown}
        lines.append(_line(cells, widths, across=other))
    lines.insert(1, "─" * max(map(len, lines)))
    return lines


def _line(cells: Mapping[str, str], widths: Mapping[str, int], across: bool = False) -> str:
    aligned = {head: _aligned(cell, head, widths) for head, cell in cells.items()}
    if across:
        width = sum(widths[name] for name in NAMES) + 2 * len(_GAP)
        aligned = {head: text for head, text in aligned.items() if head not in NAMES[1:]}
        aligned[NAMES[0]] = cells[NAMES[0]].ljust(width)
    return _GAP.join(aligned.values()).rstrip()


def _aligned(cell: str, head: str, widths: Mapping[str, int]) -> str:
    left = head in ("", *NAMES, "engine", "remark")
    return cell.ljust(widths[head]) if left else cell.rjust(widths[head])


def _beside(row: dict[Hashable, Any], metric: Metric, column: str) -> str:
    """The same score of other images, or of models that were trained without each site."""
    return metric.with_interval(*(row[f"{column}{end}"] for end in ("", "_low", "_high")))


def _place(row: dict[Hashable, Any]) -> str:
    """Rank, with a sign for those that the best is among; nothing for what is no candidate."""
    if row["kind"] != "combination":
        return ""
    return f"{row['rank']:>2}{' =' if row['in_best_set'] is True else ''}"
