"""The leaderboard: scores with intervals, other metrics, costs, and each combination against the best."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from ....evaluation.combination_names import FAILED, NAMES, NOT_REACHED, Names, names_of
from ....evaluation.metric import Metric
from ....evaluation.metrics import metric_of, overall_metrics
from ....evaluation.site_scores import ACROSS, GAP
from ....runs.finished import FinishedRun, Row, records
from ...controls import lead_text
from ...failure_cause import failure_cause
from ...verdicts import drop_words
from ..charts import Scale, whisker
from ..numbers import as_number, interval_of, score_text, seconds_of, short_title, texts
from ..section import Section, View, fragment

_ROWS = 500


def section(run: FinishedRun) -> Section | None:
    """Best first; the failed rows last."""
    board = leaderboard(run)
    html = fragment("leaderboard", leaderboard=board, metric=run.metric, leads=_leads(run), preset=_preset(run))
    return Section("Leaderboard", html, finding=_finding(run, board))


def _finding(run: FinishedRun, board: View) -> str:
    """How many there are, how many may be the best, and how many failed."""
    best, failed = run.answer.best, sum(row["kind"] == "failed" for row in board["rows"])
    parts = [f"{best.picked_among:,} combinations"] if best else []
    if best and best.picked_among > 1:
        parts.append(f"with 95 % confidence the best is among {run.answer.best_set:,}")
    return "; ".join([*parts, f"{failed:,} without a score"] if failed else parts)


def _preset(run: FinishedRun) -> str:
    """How the preset that was run differs from its source; '' without one."""
    words = next((line for line in run.answer.protocol if line.startswith("preset ")), "")
    return words[:1].upper() + words[1:]


def _leads(run: FinishedRun) -> list[View]:
    """Lead of the best combination over each control."""
    best = run.answer.best
    return [{"name": one.name, "text": lead_text(one, metric_of(best.metric))} for one in run.answer.controls if best]


def leaderboard(run: FinishedRun) -> View:
    """Rows with places of their intervals, the scale above them, and the columns beside."""
    table, metric = run.leaderboard, run.metric
    columns = [one for one in overall_metrics() if one.name in table and one.name != metric]
    scale, reasons = leaderboard_scale(run), reasons_of(run)
    rows = [_row(row, metric, columns, scale, reasons) for row in records(table.head(_ROWS))]
    unit = 100 if metric_of(metric).unit == "percent" else 1
    ticks = [(round(100 * scale.at(value), 2), f"{unit * value:.4g}") for value in scale.ticks(4)]
    compared = run.table("comparisons.csv").head(50)
    return {
        "rows": rows,
        "columns": columns,
        "tested": f"test_{metric}" in table,
        "sites": ACROSS in table,
        "ticks": ticks,
        "left_out": max(len(table) - _ROWS, 0),
        "cut": any(row["line"] and row["line"]["below"] for row in rows),
        "algorithms": "algorithms_p" in compared,
        "compared": [{"title": short_title(names_of(row)), **row} for row in records(compared)],
    }


def leaderboard_scale(run: FinishedRun) -> Scale:
    """From below the better half and the strongest shortcut to above the best, so that no bad row squeezes these."""
    ranked, metric = run.ranked, run.metric
    if not ranked or metric not in ranked[0]:
        return Scale(0.0, 1.0)
    rows = [ranked[0], ranked[(len(ranked) - 1) // 2], *run.shortcuts[:1]]
    return Scale.around(number for row in rows for number in interval_of(row, metric))


def _row(row: Row, metric: str, columns: list[Metric], scale: Scale, reasons: Mapping[tuple[str, ...], str]) -> View:
    interval = interval_of(row, metric)
    rank, first, last = (as_number(row.get(name)) for name in ("rank", "rank_low", "rank_high"))
    status = str(row.get("status", "ok"))
    failed = status.startswith((FAILED, NOT_REACHED))
    return {
        "names": names_of(row),
        "short": _short(names_of(row), str(row["kind"])),
        "kind": "failed" if failed else str(row["kind"]),
        "tag": NOT_REACHED if status.startswith(NOT_REACHED) else FAILED,
        "rank": "" if math.isnan(rank) else int(rank),
        "test": _test(row, metric),
        "ranks": "" if math.isnan(first) or math.isnan(last) else f"{first:.0f}\N{EN DASH}{last:.0f}",
        "among_best": row.get("in_best_set") is True,
        "line": whisker(scale, *interval),
        **texts(metric, interval),
        "number": interval[0],
        "others": [
            (one.title, score_text(one.name, row.get(one.name)), as_number(row.get(one.name))) for one in columns
        ],
        "across": score_text(metric, row.get(ACROSS)),
        "across_number": as_number(row.get(ACROSS)),
        "gap": _gap(row, metric),
        "seconds": seconds_of(row),
        "features": as_number(row.get("features")),
        "engine": str(row.get("engine") or ""),
        "status": "" if row.get("status") in ("ok", None) else str(row["status"]),
        "reason": reasons.get(names_of(row), "") if failed else "",
    }


def _short(names: Names, kind: str) -> str:
    """Its name in a narrow column; one that is no combination is called by its own name alone."""
    return short_title(names) if kind == "combination" else names[0].partition(": ")[2] or names[0]


def _test(row: Row, metric: str) -> View:
    """Its score on a given test part; nothing is ordered by it."""
    failed = str(row.get("test_status") or "").startswith(FAILED)
    score = texts(metric, interval_of(row, f"test_{metric}"))
    return {"value": FAILED, "interval": ""} if failed else score


def _gap(row: Row, metric: str) -> str:
    """How much lower it is without each site."""
    gap, low, high = interval_of(row, GAP)
    return "" if math.isnan(gap) else drop_words(metric_of(metric), gap, low, high)


def commonest_reason(run: FinishedRun) -> str:
    """Why most of the rows failed, in a line, and how many of them."""
    counts = Counter(reasons_of(run).values())
    if not counts:
        return "no reason was noted"
    reason, count = counts.most_common(1)[0]
    return f"{reason} ({count} of {counts.total()} rows)" if counts.total() > 1 else reason


def reasons_of(run: FinishedRun) -> dict[tuple[str, ...], str]:
    """Names of each row that failed -> the cause of its first error, in a line."""
    notes = run.table("notes.csv")
    if not len(notes):
        return {}
    errors = notes[notes["kind"] == "error"].drop_duplicates(list(NAMES))
    folders = run.experiment.plugins
    causes = {names_of(row): failure_cause(str(row["text"]), folders) for row in records(errors)}
    return {key: cause for key, cause in causes.items() if cause}
