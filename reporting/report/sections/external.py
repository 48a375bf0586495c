"""External tests: each with its answer, its scores beside those of the cross-validation, and what differs there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ....evaluation.metrics import LOG_LOSS, metric_of
from ....runs.external_answer import CombinationTested, ExternalAnswer, RecalibrationPoint, external_answers
from ....runs.finished import FinishedRun, read_table
from ...external import difference, words_of_quantity
from ...external_verdicts import VERDICTS
from ..charts import Chart, Scale, whisker
from ..numbers import PERCENT, as_number, score_text, title_of
from ..section import Section, View, fragment
from ..sheet import sheet_data
from .calibration import reliabilities
from .confusion import confusions

_SHEET, _LISTED = "worst-1.png", 20


def section(run: FinishedRun) -> Section | None:
    """None where there is no external test in the run's folder."""
    tests = [external_test(run, folder, answer) for folder, answer in external_answers(run.folder).items()]
    if not tests:
        return None
    finding = "; ".join(f"{test['answer'].name}: {test['answer'].verdict}" for test in tests)
    return Section("External tests", fragment("external", tests=tests), finding=finding)


def external_test(run: FinishedRun, folder: Path, answer: ExternalAnswer) -> View:
    """What is shown of one test."""
    matrices, diagrams = _of_predictions(run, folder) if answer.combinations else ([], [])
    return {
        "answer": answer,
        "state": VERDICTS[answer.verdict].state if answer.verdict in VERDICTS else "note",
        "what": f"bundle {answer.digest[:12]}" if answer.kind == "bundle" else "every combination of the run",
        "metric": metric_of(answer.metric).title,
        "board": board(answer),
        "calibration": [_calibration(one) for one in answer.calibration],
        "sets": [_set(one) for one in answer.sets],
        "shifts": [_shift(one) for one in answer.shifts],
        "shares": [_share(one) for one in answer.shares],
        "charts": curves(answer),
        "confusion": fragment("confusion", confusions=matrices, elsewhere=True) if matrices else "",
        "reliability": fragment("calibration", reliabilities=diagrams) if diagrams else "",
        "sheet": sheet_data(folder / _SHEET),
    }


def _of_predictions(run: FinishedRun, folder: Path) -> tuple[list[View], list[View]]:
    """Confusion matrix and reliability diagram of the combination that the answer is about."""
    table = read_table(folder / "leaderboard.csv")
    if not len(table):
        return [], []
    chosen = FinishedRun(folder, table.head(1).assign(rank=1), run.answer)
    return confusions(chosen), reliabilities(chosen)


def board(answer: ExternalAnswer) -> View:
    """Rows of the combinations, the first ones of the run, and the scale of their scores."""
    shown = answer.combinations[:_LISTED]
    ends = [as_number(end) for one in shown for end in (one.value, one.low, one.high, one.inside)]
    scale = Scale.around(ends)
    return {"rows": [_row(one, answer, scale) for one in shown], "more": len(answer.combinations) - len(shown)}


def _row(one: CombinationTested, answer: ExternalAnswer, scale: Scale) -> View:
    metric, inside = metric_of(answer.metric), as_number(one.inside)
    return {
        "title": title_of(one.names),
        "line": whisker(scale, as_number(one.value), as_number(one.low), as_number(one.high)),
        "value": score_text(answer.metric, one.value),
        "interval": metric.brackets(one.low, one.high),
        "inside": score_text(answer.metric, one.inside),
        "inside_place": None if math.isnan(inside) else round(100 * scale.at(inside), 2),
        "gap": "" if one.gap is None else difference(metric, one.gap, one.gap_low, one.gap_high),
        "error": one.error,
    }


def _calibration(one: Any) -> View:
    return {
        "label": one.label,
        "intercept": _number(one.intercept, one.intercept_low, one.intercept_high),
        "slope": _number(one.slope, one.slope_low, one.slope_high),
    }


def _number(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "undefined"
    interval = "too few groups" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    return f"{value:.2f} [{interval}]"


def _percent(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{100 * value:.1f}{PERCENT}"


def _set(one: Any) -> View:
    interval = f"{_percent(one.low)} to {_percent(one.high)}"
    return {"level": f"{100 * one.level:g}{PERCENT}", "coverage": f"{_percent(one.coverage)} [{interval}]"} | {
        "size": f"{one.size:.2f}", "single": _percent(one.single)
    }  # fmt: skip


def _shift(one: Any) -> View:
    interval = f"{_percent(one.low)} to {_percent(one.high)}"
    return {
        "part": one.part,
        "name": words_of_quantity(one.name),
        "above": f"{_percent(one.above)} [{interval}]",
        "here": "\N{EN DASH}" if one.here is None else f"{one.here:,.4g}",
        "there": "\N{EN DASH}" if one.there is None else f"{one.there:,.4g}",
        "differs": one.differs,
    }


def _share(one: Any) -> View:
    metric = metric_of(one.metric)
    return {
        "metric": metric.title,
        "before": score_text(one.metric, one.before),
        "after": score_text(one.metric, one.after),
        "change": "" if one.change is None else difference(metric, one.change, one.low, one.high),
    }


def curves(answer: ExternalAnswer) -> list[Chart]:
    """A metric of the other groups over the number of groups that were used for recalibration, and the log loss."""
    names = dict.fromkeys([answer.metric, LOG_LOSS.name])
    rows = {name: [one for one in answer.recalibration if one.metric == name] for name in names}
    return [_curve(name, points, answer) for name, points in rows.items() if points]


def _curve(name: str, points: list[RecalibrationPoint], answer: ExternalAnswer) -> Chart:
    metric = metric_of(name)
    numbers = [as_number(end) for one in points for end in (one.before, one.after, one.low, one.high)]
    unit = "patients" if answer.images.patients else "images or groups of copies"
    across = Scale.around([0.0, *(float(one.groups) for one in points)])
    summary = "; ".join(_words(one) for one in points)
    labels = f"{unit} used", f"{metric.title} of the others"
    percent = False, metric.unit == "percent"
    chart = Chart(across, Scale.around(numbers), *labels, summary, percent=percent)
    chart.point(0.0, as_number(points[0].before), f"as it is: {metric.with_unit(points[0].before)}", "shortcut")
    for one in points:
        chart.point(float(one.groups), as_number(one.after), _words(one), "front")
        for end in (one.low, one.high):
            chart.point(float(one.groups), as_number(end), f"8 of 10 draws: {metric.with_unit(end)}", radius=2.0)
    return chart


def _words(one: RecalibrationPoint) -> str:
    metric = metric_of(one.metric)
    after = f"{metric.with_unit(one.after)} {metric.brackets(one.low, one.high)}"
    return f"recalibrated on {one.groups:,}: {after} instead of {metric.with_unit(one.before)}"
