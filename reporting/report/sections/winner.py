"""The best combination: score and interval, as measured and corrected for selecting the best of many."""

from __future__ import annotations

from ....evaluation.metrics import metric_of
from ....runs.answer import Answer
from ....runs.finished import FinishedRun
from ...controls import lead_text
from ..charts import Scale, whisker
from ..numbers import Interval, as_number, texts, title_of
from ..section import Section, View, fragment


def section(run: FinishedRun) -> Section | None:
    """None where every combination failed."""
    best = winner(run.answer)
    if best is None:
        return None
    return Section("The best combination", fragment("winner", winner=best, metric=run.metric), nav="")


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


def _interval(*numbers: float | None) -> Interval:
    value, low, high = map(as_number, numbers)
    return value, low, high
