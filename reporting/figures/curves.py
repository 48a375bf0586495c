"""Two classes: ROC and precision-recall of the examples, and predictive values of the best against the prevalence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.combination_names import names_of, rows_of
from ...evaluation.metrics import AUROC, SENSITIVITY, SPECIFICITY
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import as_number, score_with_interval, title_of
from ..vega import INK, MARK, MUTED, SECOND, SHORTCUT, THIRD, Figure, chart, layered
from .axes import WHOLE, Axis, Domain, diagonal, fitted
from .examples import Example, examples

_MOST = 400
"""Points of a curve at most."""
_STYLES = {"best": (MARK, [1, 0]), "different": (SECOND, [6, 3]), "shortcut": (SHORTCUT, [2, 2])}
_PREVALENCE = np.geomspace(0.001, 0.999, 121)


@dataclass(frozen=True)
class Curve:
    """A curve of one example, from shares in 0 to 1."""

    example: Example
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def positive_class(run: FinishedRun) -> str:
    """The second of two classes, as they are ordered everywhere; '' of a run with other than two."""
    classes = sorted(run.table("classes.csv")["label"].unique()) if len(run.table("classes.csv")) else []
    return str(classes[1]) if len(classes) == 2 else ""


def curve_figures(run: FinishedRun) -> list[Figure]:
    """None where there are other than two classes, or no probabilities were stored."""
    positive = positive_class(run)
    shown = [one for one in examples(run) if f"p_{positive}" in one.predictions]
    if not positive or not shown:
        return []
    drawn = [_roc(shown, positive), _precision_recall(shown, positive), predictive_values(run, positive)]
    return [figure for figure in drawn if figure]


def roc_curves(shown: Sequence[Example], positive: str) -> list[Curve]:
    """False positive rate and sensitivity at every threshold, of pooled out-of-fold predictions."""
    from sklearn.metrics import roc_curve

    return [_thinned(one, *roc_curve(*_truth(one, positive))[:2]) for one in shown]


def precision_recall_curves(shown: Sequence[Example], positive: str) -> list[Curve]:
    """Recall and precision at every threshold, of pooled out-of-fold predictions."""
    from sklearn.metrics import precision_recall_curve

    both = [(one, precision_recall_curve(*_truth(one, positive))) for one in shown]
    return [_thinned(one, recall[::-1], precision[::-1]) for one, (precision, recall, _) in both]


def _truth(one: Example, positive: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    table = one.predictions
    return (table["label"] == positive).to_numpy(), table[f"p_{positive}"].to_numpy(np.float64)


def _thinned(example: Example, x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST)).round().astype(np.int64))
    return Curve(example, x[kept], y[kept])


def _roc(shown: Sequence[Example], positive: str) -> Figure:
    x, y = Axis("false positive rate", WHOLE, percent=True), Axis(SENSITIVITY.title, WHOLE, percent=True)
    areas = "; ".join(f"{one.title}: {score_with_interval(AUROC.name, one.row)}" for one in shown)
    note = (
        f"{positive} against the other class; out-of-fold predictions of all folds together. {AUROC.title}: {areas}. "
        "It is the mean over folds, which the area under a drawn curve need not be."
    )
    lines = _lines(roc_curves(shown, positive), x, y)
    return Figure("roc", "ROC", f"ROC curves. {note}", fitted(layered([diagonal(x, y), *lines])), note=note)


def _precision_recall(shown: Sequence[Example], positive: str) -> Figure:
    import altair as alt

    x, y = Axis("recall (sensitivity)", WHOLE, percent=True), Axis("precision", WHOLE, percent=True)
    share = float(_truth(shown[0], positive)[0].mean())
    level = chart([{"y": 100 * share}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(y=y.channel(alt.Y, "y"))
    note = f"Dashed: guessing, which reaches the share of {positive}, {100 * share:.1f} %."
    lines = _lines(precision_recall_curves(shown, positive), x, y)
    alt_text = f"Precision against recall of {'; '.join(one.title for one in shown)}. {note}"
    return Figure("precision-recall", "Precision and recall", alt_text, fitted(layered([level, *lines])), note=note)


def _lines(curves: Sequence[Curve], x: Axis, y: Axis) -> list[Any]:
    import altair as alt

    words = [curve.example.words for curve in curves]
    colours, dashes = zip(*(_STYLES[curve.example.slug] for curve in curves), strict=True)
    legend = alt.Legend(columns=1, symbolType="stroke", labelLimit=260)
    data = [
        {"x": 100 * one, "y": 100 * other, "order": place, "name": curve.example.words,
         "title": f"{curve.example.title}: {100 * one:.1f} %, {100 * other:.1f} %"}
        for curve in curves for place, (one, other) in enumerate(zip(curve.x.tolist(), curve.y.tolist(), strict=True))
    ]  # fmt: skip
    line = chart(data).mark_line(strokeWidth=2, interpolate="linear")
    return [
        line.encode(
            x=x.channel(alt.X, "x"), y=y.channel(alt.Y, "y"), order="order:Q",
            color=alt.Color("name:N", scale=alt.Scale(domain=words, range=list(colours)), legend=legend),
            strokeDash=alt.StrokeDash("name:N", scale=alt.Scale(domain=words, range=list(dashes)), legend=legend),
            tooltip=alt.Tooltip("title:N", title="\N{BULLET}"),
        )
    ]  # fmt: skip


def predictive(sensitivity: float, specificity: float, prevalence: Any) -> tuple[Any, Any]:
    """Positive and negative predictive value at a prevalence, by Bayes' theorem; NaN where nothing is called so."""
    hits, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    misses, right = (1 - sensitivity) * prevalence, specificity * (1 - prevalence)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.divide(hits, hits + false), np.divide(right, right + misses)


def predictive_values(run: FinishedRun, positive: str) -> Figure | None:
    """Of the best combination; None without its rates. The prevalence can be chosen where scripts run."""
    import altair as alt

    best = run.ranked[0]
    rows = records(rows_of(run.table("classes.csv"), names_of(best)))
    row = next((one for one in rows if one["label"] == positive), None)
    if row is None:
        return None
    rates = {rate.name: _rate(row, best, rate.name, positive) for rate in (SENSITIVITY, SPECIFICITY)}
    own = float((row["tp"] + row["fn"]) / (row["tp"] + row["fn"] + row["fp"] + row["tn"]))
    x = Axis("prevalence", Domain(0.001, 1.0), percent=True, log=True)
    y = Axis("predictive value", WHOLE, percent=True)
    data = _predictive_rows(*rates.values())
    names = ["positive", "negative"]
    legend = alt.Legend(columns=2, symbolType="stroke")
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=[MARK, THIRD]), legend=legend)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=legend)
    across = x.channel(alt.X, "x")
    layers = [
        chart(data).mark_area(opacity=0.15).encode(x=across, y=y.channel(alt.Y, "low"), y2="high", color=colour),
        chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=across,
            y=y.channel(alt.Y, "y"),
            color=colour,
            strokeDash=dash,
            tooltip=alt.Tooltip("title:N", title="\N{BULLET}"),
        ),
        *_stated(own, rates, across),
    ]
    both = predictive(rates[SENSITIVITY.name][0], rates[SPECIFICITY.name][0], own)
    values = ["undefined" if math.isnan(value) else f"{100 * value:.1f} %" for value in both]
    note = (
        f"Of {title_of(names_of(best))}, for {positive}: "
        f"sensitivity {SENSITIVITY.with_interval(*rates[SENSITIVITY.name])}, "
        f"specificity {SPECIFICITY.with_interval(*rates[SPECIFICITY.name])}. "
        f"At the share of {positive} in these images, "
        f"{100 * own:.1f} % (dashed): positive {values[0]}, negative {values[1]}. "
        "Bands: both rates at the ends of their 95 % intervals."
    )
    return Figure("predictive-values", "Predictive values", note, fitted(layered(layers)), note=note)


def _rate(row: Row, best: Row, name: str, positive: str) -> tuple[float, float, float]:
    low, high = (as_number(best.get(f"{name}[{positive}]_{end}")) for end in ("low", "high"))
    return as_number(row[name]), low, high


def _predictive_rows(sensitivity: Sequence[float], specificity: Sequence[float]) -> list[dict[str, Any]]:
    rates = [predictive(one, other, _PREVALENCE) for one, other in zip(sensitivity, specificity, strict=True)]
    data = []
    for side, name in enumerate(("positive", "negative")):
        value, low, high = (100 * rate[side] for rate in rates)
        for place, prevalence in enumerate(_PREVALENCE.tolist()):
            number = float(value[place])
            ends = [number if math.isnan(end[place]) else float(end[place]) for end in (low, high)]
            title = f"at {100 * prevalence:.3g} %: {name} predictive value {number:.1f} %"
            row = {"x": 100 * prevalence, "y": number, "low": ends[0], "high": ends[1]}
            data.append({**row, "name": name, "title": title})
    return [row for row in data if not math.isnan(row["y"])]


def _stated(own: float, rates: dict[str, tuple[float, float, float]], across: Any) -> list[Any]:
    """A dashed line at the stated prevalence, with both values there: that of the data, or what a reader chooses."""
    import altair as alt

    slider = alt.binding_range(min=0.1, max=99.9, step=0.1, name="prevalence (%) ")
    chosen = alt.param(name="prevalence", value=round(100 * own, 1), bind=slider)
    data = chart([{"se": rates[SENSITIVITY.name][0], "sp": rates[SPECIFICITY.name][0]}]).transform_calculate(
        x="prevalence",
        ppv="100 * datum.se * prevalence / (datum.se * prevalence + (1 - datum.sp) * (100 - prevalence))",
        npv="100 * datum.sp * (100 - prevalence) / (datum.sp * (100 - prevalence) + (1 - datum.se) * prevalence)",
        positive="isFinite(datum.ppv) ? format(datum.ppv, '.1f') + ' %' : 'undefined'",
        negative="isFinite(datum.npv) ? format(datum.npv, '.1f') + ' %' : 'undefined'",
        text="format(prevalence, '.1f') + ' %: positive ' + datum.positive + ', negative ' + datum.negative",
    )
    words = data.mark_text(color=INK, align="left", baseline="bottom", fontSize=11).encode(
        x=alt.value(0), y=alt.value(-6), text="text:N"
    )
    line = data.mark_rule(color=INK, strokeDash=[4, 4]).encode(x=across)
    return [line.add_params(chosen), words]
