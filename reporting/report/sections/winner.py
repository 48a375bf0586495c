"""The best combination: its score and interval, corrected for selecting the best of many, and what it recognises."""

from __future__ import annotations

from ....evaluation.metrics import ACCURACY, SENSITIVITY, metric_of
from ....runs.answer import Answer
from ....runs.finished import FinishedRun, records
from ...controls import lead_text
from ...recognition import Recognition, most_frequent_error, of_patients
from ..charts import Scale, whisker
from ..numbers import Interval, as_number, best_rows, interval_of, short_title, texts, title_of
from ..section import Section, View, fragment

_CLASSES = 12
_PERCENT = Scale(0.0, 1.0)


def section(run: FinishedRun) -> Section | None:
    """None where every combination failed."""
    best = winner(run.answer)
    if best is None:
        return None
    recognised = recognition(run)
    parts = {"winner": best, "metric": run.metric, "recognition": recognised, "patients": patients(run)}
    return Section("", fragment("winner", **parts), nav="")


def winner(answer: Answer) -> View | None:
    """Its number, its interval, both corrected, the shortcut and the controls beside it, and the leads over these."""
    best, shortcut = answer.best, answer.shortcut
    if best is None:
        return None
    measured = _interval(best.value, best.low, best.high)
    corrected = _interval(best.corrected, best.corrected_low, best.corrected_high)
    rows = [("as measured", measured, ""), ("corrected for selection", corrected, "")]
    if answer.test:
        rows.append(("given test part", _interval(answer.test.value, answer.test.low, answer.test.high), ""))
    if shortcut:
        rows.append(
            (
                shortcut.name if shortcut.alone else f"{shortcut.name} alone",
                _interval(shortcut.value, shortcut.low, shortcut.high),
                "shortcut",
            )
        )
    rows += [(one.name, _interval(one.value, one.low, one.high), "control") for one in answer.controls]
    scale = Scale.around(number for _, interval, _ in rows for number in interval)
    return {
        "title": title_of(best.names),
        "names": best.names,
        "short": short_title(best.names),
        "lines": [
            {"label": label, "kind": kind, "line": whisker(scale, *interval)} | texts(best.metric, interval)
            for label, interval, kind in rows
        ],
        "leads": [{"name": one.name, "text": lead_text(one, metric_of(best.metric))} for one in answer.controls],
        "picked_among": best.picked_among,
        "best_set": answer.best_set,
        **texts(best.metric, measured),
        "corrected": texts(best.metric, corrected),
    }


def recognition(run: FinishedRun) -> View | None:
    """Of 100 (or 1,000) images of each class, how many the best combination recognises; None without a best."""
    if not run.ranked:
        return None
    best, errors = run.ranked[0], best_rows(run, run.table("confusion.parquet"))
    rows = records(best_rows(run, run.table("classes.csv")))
    classes = [
        Recognition(
            row["label"], int(row["tp"]), int(row["tp"] + row["fn"]),
            *interval_of(best, f"{SENSITIVITY.name}[{row['label']}]")[1:], most_frequent_error(errors, row["label"]),
        )
        for row in rows
    ]  # fmt: skip
    others = "are taken for" if len(classes) == 2 else "mostly as"
    out_of = 1000 if any(one.rounds_to_all(100) for one in classes) else 100
    shown = [{"one": one, "words": one.words(out_of, others), "line": whisker(_PERCENT, one.rate, one.low, one.high)}
             for one in classes[:_CLASSES]]  # fmt: skip
    return {"rows": shown, "more": max(len(classes) - _CLASSES, 0), "two": len(classes) == 2}


def patients(run: FinishedRun) -> str:
    """The same of patients, each predicted once from all of their images; '' where they are not known."""
    scores = records(best_rows(run, run.table("patient_scores.csv")))
    if run.answer.groups.kind != "patients" or not scores:
        return ""
    return of_patients(int(scores[0]["patients"]), *interval_of(scores[0], f"{ACCURACY.name}_mean"))


def _interval(*numbers: float | None) -> Interval:
    value, low, high = map(as_number, numbers)
    return value, low, high
