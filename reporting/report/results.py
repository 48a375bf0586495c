"""What the report says of the results: verdicts, the winner, the leaderboard, heat map and costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .charts import Chart, Scale, whisker
from .tables import KEYS, Row, RunTables, chosen, key_of, records, title_of

if TYPE_CHECKING:
    import pandas as pd

PERCENT = "\N{NO-BREAK SPACE}%"
_ROWS = 500
_COLUMNS = ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "auroc", "brier", "ece")
_RATES = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "ece")
_GROUPS = {
    "patients": ("good", "Patient-level", "No patient is in training and test at once."),
    "partly": ("warn", "Partly image-level", "Some images have no patient: expect lower scores on new patients."),
    "none": ("warn", "Image-level, optimistic", "Images of one patient may be in training and test at once."),
    "pseudo": ("warn", "Pseudo-patients", "A stress test with made-up groups: real patients are not known."),
}
_SHORTCUTS = {
    "better": ("good", "Better than every shortcut", "The best combination beats what needs no look at a cell"),
    "confounded": ("bad", "Confounded", "Much of the score can be had without looking at a cell"),
    "unknown": ("warn", "Unknown", "Shortcuts failed, so nobody knows what they reach"),
    "not better": ("bad", "Not better than a shortcut", "The score can be had without looking at a cell"),
}


def shown(metric: str, value: Any) -> str:
    """A score as text: rates in percent, others (MCC, Brier, log loss) as they are; a dash where not defined."""
    number = as_number(value)
    if math.isnan(number):
        return "\N{EN DASH}"
    rate = metric in _RATES or metric.startswith(("sensitivity", "specificity"))
    return f"{100 * number:.2f}{PERCENT}" if rate else f"{number:.3f}"


def as_number(value: Any) -> float:
    """`value`; NaN for what is empty."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def verdicts(run: RunTables) -> list[Row]:
    """Boxes on shortcuts, groups and copies, and on chance where labels were permuted."""
    answer, boxes = run.answer, []
    if answer.get("chance"):
        good = bool(answer["chance"].get("at_chance"))
        boxes.append(_box("Permuted labels", "good" if good else "bad", "At chance" if good else "Not at chance",
                          answer["chance"].get("words", "")))  # fmt: skip
    if answer.get("shortcut"):
        state, word, text = _SHORTCUTS.get(answer["shortcut"].get("verdict"), ("warn", "See the sentences", ""))
        said, colon, _ = str(answer["shortcut"].get("words", "")).partition(":")  # also tells partly from wholly
        boxes.append(_box("Shortcuts", state, said.capitalize() if colon else word, f"{text}: {_against(run)}"))
    if answer.get("groups"):
        state, word, text = _GROUPS.get(answer["groups"].get("kind"), ("warn", "See the protocol", ""))
        boxes.append(_box("Patients", state, word, text))
    if answer.get("duplicates"):
        boxes.append(_copies(answer["duplicates"]))
    return boxes


def _box(about: str, state: str, word: str, text: str) -> Row:
    return {"about": about, "state": state, "word": word, "text": text}


def _copies(found: Mapping[str, Any]) -> Row:
    kinds = ("identical_files", "identical_pixels", "near_duplicates")
    count, conflicts = sum(int(found.get(kind) or 0) for kind in kinds), int(found.get("label_conflicts") or 0)
    if not set(kinds) & set(found):
        return _box("Copies of images", "note", "Not counted", str(found.get("words", "")))
    state = "bad" if conflicts else "note" if count else "good"
    word = f"{conflicts:,} under more than one label" if conflicts else f"{count:,} pairs" if count else "None found"
    return _box("Copies of images", state, word, str(found.get("words", "")))


def _against(run: RunTables) -> str:
    """The strongest shortcut beside the best combination, in numbers."""
    best, shortcut = run.answer.get("best") or {}, run.answer["shortcut"]
    reached, top = (shown(run.metric, row.get("value")) for row in (shortcut, best))
    return f"{shortcut.get('name')} alone reaches {reached}, the best combination {top}."


def _interval(row: Mapping[str, Any], name: str = "") -> tuple[float, float, float]:
    ends = (name, f"{name}_low", f"{name}_high") if name else ("value", "low", "high")
    value, low, high = (as_number(row.get(end)) for end in ends)
    return value, low, high


def _lines(metric: str, rows: list[tuple[str, float, float, float, str]]) -> list[Row]:
    scale = Scale.around(number for row in rows for number in row[1:4])
    return [
        {"label": label, "kind": kind, "line": whisker(scale, value, low, high)} | _texts(metric, value, low, high)
        for label, value, low, high, kind in rows
    ]


def _texts(metric: str, value: float, low: float, high: float) -> dict[str, str]:
    known = not (math.isnan(low) or math.isnan(high))
    interval = f"{shown(metric, low).removesuffix(PERCENT)} to {shown(metric, high)}" if known else "no interval"
    return {"value": shown(metric, value), "interval": interval}


def winner(run: RunTables) -> Row | None:
    """The best combination: its number, its interval, and both corrected for having been picked."""
    best = run.answer.get("best")
    if not best:
        return None
    metric, corrected = run.metric, _interval(best, "corrected")
    rows = [("as measured", *_interval(best), ""), ("corrected for picking", *corrected, "")]
    shortcut = run.answer.get("shortcut")
    if shortcut:
        rows.append((f"{shortcut.get('name')} alone", *_interval(shortcut), "shortcut"))
    return {
        "title": title_of(best),
        "lines": _lines(metric, rows),
        "picked_among": best.get("picked_among"),
        "others": run.answer.get("indistinguishable") or 0,
        **_texts(metric, *_interval(best)),
        "corrected": _texts(metric, *corrected),
    }


def leaderboard(run: RunTables) -> Row:
    """Rows with places of their intervals, the scale above them, and the columns beside."""
    table, metric = run.leaderboard, run.metric
    columns = [name for name in _COLUMNS if name in table and name != metric]
    scale, reasons = leaderboard_scale(run), _reasons(run)
    rows = [_row(row, metric, columns, scale, reasons) for row in records(table.head(_ROWS))]
    unit = 100 if metric in _RATES else 1
    ticks = [(round(100 * scale.at(value), 2), f"{unit * value:.4g}") for value in scale.ticks(4)]
    compared = run.table("comparisons.csv").head(50)
    return {
        "rows": rows,
        "columns": columns,
        "ticks": ticks,
        "left_out": max(len(table) - _ROWS, 0),
        "cut": any(row["line"] and row["line"]["below"] for row in rows),
        "compared": [{"title": title_of(row), **row} for row in records(compared)],
    }


def leaderboard_scale(run: RunTables) -> Scale:
    """From below the better half and the strongest shortcut to above the best, so that no bad row squeezes these."""
    ranked, metric = run.ranked, run.metric
    if not ranked or metric not in ranked[0]:
        return Scale(0.0, 1.0)
    rows = [ranked[0], ranked[(len(ranked) - 1) // 2], *run.shortcuts[:1]]
    return Scale.around(number for row in rows for number in _interval(row, metric))


def _row(row: Row, metric: str, columns: list[str], scale: Scale, reasons: Mapping[tuple[str, ...], str]) -> Row:
    value, low, high = _interval(row, metric)
    rank, first, last = (as_number(row.get(name)) for name in ("rank", "rank_low", "rank_high"))
    failed = str(row.get("status", "ok")).startswith("failed")
    alike = str(row.get("indistinguishable")) == "True" and rank != 1
    return {
        "names": key_of(row),
        "kind": "failed" if failed else str(row["kind"]),
        "rank": "" if math.isnan(rank) else int(rank),
        "ranks": "" if math.isnan(first) or math.isnan(last) else f"{first:.0f}\N{EN DASH}{last:.0f}",
        "alike": alike,
        "line": whisker(scale, value, low, high),
        **_texts(metric, value, low, high),
        "number": value,
        "others": [(name, shown(name, row.get(name)), as_number(row.get(name))) for name in columns],
        "seconds": seconds_of(row),
        "features": as_number(row.get("features")),
        "p": as_number(row.get("p_holm")),
        "p_best": as_number(row.get("p_best")),
        "status": "" if row.get("status") in ("ok", None) else str(row["status"]),
        "reason": reasons.get(key_of(row), "") if failed else "",
    }


def seconds_of(row: Row) -> float:
    """Mean seconds that a fold costs: selector, classifier and prediction."""
    return sum(as_number(row.get(name)) for name in ("selector_s", "fit_s", "predict_s"))


def _reasons(run: RunTables) -> dict[tuple[str, ...], str]:
    """The last line of each row's first error."""
    notes = run.table("notes.csv")
    if not len(notes):
        return {}
    errors = notes[notes["kind"] == "error"].drop_duplicates(list(KEYS))
    lines = {key_of(row): str(row["text"]).strip().splitlines() for row in records(errors)}
    return {key: found[-1][:300] for key, found in lines.items() if found}


def heat(run: RunTables) -> Row | None:
    """Extractor and selector down, classifier across; the best column first."""
    table, metric = run.leaderboard, run.metric
    table = table[table["kind"] == "combination"]
    if metric not in table or not table[metric].notna().any():
        return None
    wide = table.pivot_table(index=list(KEYS[:2]), columns=KEYS[2], values=metric, dropna=False, observed=True)
    present = set(map(key_of, records(table)))
    wide = wide.reindex(columns=wide.mean().sort_values(ascending=False).index)
    wide = wide[[names in {key[:2] for key in present} for names in wide.index]]
    low, top = table[metric].quantile([0.1, 1.0])
    scale = Scale(low, max(top, low + 1e-6))
    groups: dict[str, list[Row]] = {}
    for (extractor, selector), row in zip(wide.index, records(wide), strict=True):
        cells = [_cell(metric, (extractor, selector, name), row[name], present, scale) for name in wide.columns]
        groups.setdefault(extractor, []).append({"selector": selector, "cells": cells})
    return {"columns": list(wide.columns), "groups": groups}


def _cell(metric: str, key: tuple[str, ...], value: float, present: set[tuple[str, ...]], scale: Scale) -> Row:
    if math.isnan(value):
        return {"text": "no score" if key in present else "", "heat": 0, "best": False}
    return {
        "text": shown(metric, value).removesuffix(PERCENT),
        "heat": round(100 * scale.at(value), 1),
        "best": value == scale.high,
    }


def costs(run: RunTables) -> Row | None:
    """Score against seconds, and the combinations that nothing both cheaper and better beats."""
    table, metric = run.leaderboard, run.metric
    if metric not in table or "fit_s" not in table:
        return None
    table = table.assign(seconds=[seconds_of(row) for row in records(table)])
    table = table[table[metric].notna() & (table["seconds"] > 0)].sort_values("seconds")
    if not (table["kind"] == "combination").any():
        return None
    y = leaderboard_scale(run)
    drawn = table[table[metric] >= y.low]
    chart = Chart(
        Scale.decades(drawn["seconds"]), y, "seconds a fold (selector, fit and predict)", metric.replace("_", " "),
        f"{metric.replace('_', ' ')} against seconds a fold for {len(drawn)} rows of the leaderboard",
        height=300, percent=(False, metric in _RATES),
    )  # fmt: skip
    frontier: list[Row] = []
    best = -math.inf
    for row in records(drawn):
        front = row["kind"] == "combination" and row[metric] > best
        text = f"{title_of(row)}: {shown(metric, row[metric])}, {row['seconds']:.2g} s"
        if front:
            best = row[metric]
            named = {"tag": str(len(frontier) + 1), "title": title_of(row), "value": shown(metric, best)}
            frontier.append(named | {"seconds": row["seconds"]})
        kind = "shortcut" if row["kind"] == "shortcut" else "front" if front else ""
        chart.point(row["seconds"], row[metric], text, kind, frontier[-1]["tag"] if front else "")
    return {"chart": chart, "frontier": frontier, "below": len(table) - len(drawn)}


def examples(run: RunTables, count: int = 3) -> list[Row]:
    """The best `count` combinations and the strongest shortcut: rows of the leaderboard."""
    return [*run.ranked[:count], *run.shortcuts[:1]]


def best_rows(run: RunTables, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` on the best combination."""
    return chosen(table, key_of(run.ranked[0])) if run.ranked else table.iloc[:0]
