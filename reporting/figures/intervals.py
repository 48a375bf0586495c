"""The picture of a run: every combination with its interval, which may be the best, and what shortcuts reach."""

from __future__ import annotations

from collections.abc import Sequence

from ...evaluation.combination_names import SHORTCUT, names_of, short_name
from ...evaluation.metric import Metric
from ...evaluation.metrics import metric_of
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import interval_of, score_with_interval, title_of
from ..vega import KINDS, PICTURE, Figure
from .axes import Domain
from .interval_chart import AMONG_BEST, NOT_BEST, Line, Mark, interval_chart

_SHOWN = 60
_TIMES = " \N{MULTIPLICATION SIGN} "
_BESIDE = "shortcuts, content, controls"


def intervals(run: FinishedRun) -> Figure | None:
    """None where nothing was scored.

    The best `_SHOWN` combinations are shown by extractor, and every row beside them; marks are filled where the
    combination may be the best (the confidence set of the leaderboard).
    """
    ranked, metric = run.ranked, metric_of(run.metric)
    if not ranked or metric.name not in ranked[0]:
        return None
    beside, shown = _beside(run), ranked[:_SHOWN]
    strongest = _strongest(beside)
    domain = _domain(shown, strongest, beside, metric)
    marks = [mark for group in _groups(shown) for mark in _marks(group, metric)]
    marks += [_mark(row, metric, _short(row), _BESIDE) for row in beside]
    lines = [Line(str(row["kind"]), _short(row), *interval_of(row, metric.name)) for row in strongest]
    words = [*_best_in_words(ranked), *_others_in_words(lines)]
    if any(mark.value < domain.low for mark in marks):
        words.append("A hollow triangle at the left end: below the axis.")
    reached = [
        f"{line.name} reaches {score_with_interval(metric.name, row)}."
        for line, row in zip(lines, strongest, strict=True)
    ]
    heading = f"{metric.title[0].upper()}{metric.title[1:]} of the combinations, with 95 % intervals"
    first = f"Best of {len(ranked)}: {title_of(names_of(ranked[0]))}, {score_with_interval(metric.name, ranked[0])}."
    return Figure(
        "leaderboard",
        heading,
        " ".join([first, *reached, *words]),
        interval_chart(marks, lines, domain, metric, narrow=False),
        interval_chart(marks, lines, domain, metric, narrow=True),
        note=" ".join(words),
        formats=PICTURE,
    )


def _best_in_words(ranked: Sequence[Row]) -> list[str]:
    """How many may be the best, and how many of these are not drawn."""
    best, rest = (sum(row.get("in_best_set") is True for row in rows) for rows in (ranked, ranked[_SHOWN:]))
    words = [f"Filled: {best} of {len(ranked)} may be the best, with 95 % confidence."] if best else []
    if len(ranked) > _SHOWN:
        among = f", of which {rest} may be the best," if rest else ""
        words.append(f"{len(ranked) - _SHOWN} weaker combinations{among} are not drawn; the leaderboard has them.")
    return words


def _others_in_words(lines: Sequence[Line]) -> list[str]:
    """What the lines are, and what the rows behind them see."""
    kinds = {line.kind for line in lines}
    seen = {
        "shortcut": "shortcuts see nothing of what is pictured",
        "content": "content rows see simple numbers of the whole image or file",
        "control": "controls are networks that were never trained, or a few pixels",
    }
    meant = "; ".join(words for kind, words in seen.items() if kind in kinds)
    return [f"Dashed lines: the strongest of each kind. {meant[0].upper()}{meant[1:]}."] if meant else []


def _beside(run: FinishedRun) -> list[Row]:
    """Rows that are no combinations, strongest first."""
    table = run.leaderboard
    if "kind" not in table or run.metric not in table:
        return []
    rows = table[table["kind"].isin(KINDS[1:]) & table[run.metric].notna()]
    return records(rows.sort_values(run.metric, ascending=False, kind="stable"))


def _strongest(beside: Sequence[Row]) -> list[Row]:
    """The first row of each kind."""
    return list({str(row["kind"]): row for row in reversed(beside)}.values())[::-1]


def _short(row: Row) -> str:
    """A shortcut, content row or control as it is called in the picture."""
    return str(row["extractor"]).removeprefix(SHORTCUT)


def _groups(shown: Sequence[Row]) -> list[list[Row]]:
    """Rows by extractor, the extractor of the best row first."""
    groups: dict[str, list[Row]] = {}
    for row in shown:
        groups.setdefault(str(row["extractor"]), []).append(row)
    return list(groups.values())


def _marks(group: Sequence[Row], metric: Metric) -> list[Mark]:
    return [_mark(row, metric, _TIMES.join(map(short_name, names_of(row)[1:])), str(row["extractor"])) for row in group]


def _mark(row: Row, metric: Metric, name: str, group: str) -> Mark:
    kind = str(row["kind"])
    role = kind if kind in KINDS[1:] else AMONG_BEST if row.get("in_best_set") is True else NOT_BEST
    value, low, high = interval_of(row, metric.name)
    first = kind == KINDS[0] and row["rank"] == 1
    return Mark(
        group, name, title_of(names_of(row)), role, value, low, high, score_with_interval(metric.name, row), first
    )


def _domain(shown: Sequence[Row], strongest: Sequence[Row], beside: Sequence[Row], metric: Metric) -> Domain:
    """Holds what is shown and the strongest others; weaker ones only as far as these reach."""
    drawn = [interval_of(row, metric.name) for row in [*shown, *strongest]]
    least = min(value for value, _, _ in drawn)
    drawn += [interval for row in beside if (interval := interval_of(row, metric.name))[0] >= least]
    return Domain.around(end for interval in drawn for end in interval).below(metric.greatest)
