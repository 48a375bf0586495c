"""External tests: each with its answer, its scores beside those of the cross-validation, and what differs there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import metric_of
from ....runs.external_answer import CombinationTested, ExternalAnswer, external_answers
from ....runs.finished import FinishedRun, read_table, records
from ...external import difference, words_of_quantity
from ...external_verdicts import VERDICTS
from ...figures.calibration import reliability_figure
from ...figures.confusion import confusion_figure
from ...figures.recalibration import recalibration_figures
from ...vega import Figure
from ..charts import Scale, whisker
from ..interactive import figure_html
from ..numbers import PERCENT, as_number, score_text, title_of
from ..section import Section, View, fragment
from ..sheet import sheet_data

_SHEET, _LISTED = "worst-1.png", 20


def section(run: FinishedRun) -> Section | None:
    """None where there is no external test in the run's folder."""
    answers = external_answers(run.folder)
    if not answers:
        return None
    tests, every = [], []
    for place, (folder, answer) in enumerate(answers.items(), 1):
        drawn = _figures(run, folder, answer, f"external-{place}")
        shown = {kind: [figure_html(one) for one in figures] for kind, figures in drawn.items()}
        tests.append(external_test(folder, answer) | shown)
        every += [figure for figures in drawn.values() for figure in figures]
    finding = "; ".join(f"{answer.name}: {answer.verdict}" for answer in answers.values())
    return Section("External tests", fragment("external", tests=tests), finding=finding, figures=tuple(every))


def external_test(folder: Path, answer: ExternalAnswer) -> View:
    """What is shown of one test, without its figures."""
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
        "sheet": sheet_data(folder / _SHEET),
    }


def _figures(run: FinishedRun, folder: Path, answer: ExternalAnswer, slug: str) -> dict[str, list[Figure]]:
    """Recalibration; confusion matrix and reliability diagram of the combination that the answer is about."""
    drawn: dict[str, list[Figure]] = {"curves": recalibration_figures(answer, slug), "confusion": [], "reliability": []}
    table = read_table(folder / "leaderboard.csv") if answer.combinations else None
    if table is not None and len(table):
        row = records(table.head(1))[0]
        chosen = FinishedRun(folder, table.head(1).assign(rank=1), run.answer)
        parts = {"confusion": confusion_figure, "reliability": reliability_figure}
        drawn |= {
            kind: [one for one in [draw(chosen, row, slug, title_of(names_of(row)))] if one]
            for kind, draw in parts.items()
        }
    return drawn


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
