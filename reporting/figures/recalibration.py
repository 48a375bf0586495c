"""Recalibrated on a few of the patients of an external test: the score of the others."""

from __future__ import annotations

from ...evaluation.metrics import LOG_LOSS, metric_of
from ...runs.external_answer import ExternalAnswer, RecalibrationPoint
from ..report.numbers import as_number
from ..vega import MARK, MUTED, SHORTCUT, Figure, chart, layered
from .axes import Axis, Domain, fitted


def recalibration_figures(answer: ExternalAnswer, slug: str) -> list[Figure]:
    """The ranking metric, and the log loss, over the number of groups used; `slug` begins the files' names."""
    names = dict.fromkeys([answer.metric, LOG_LOSS.name])
    points = {name: [one for one in answer.recalibration if one.metric == name] for name in names}
    return [_figure(name, own, answer, slug) for name, own in points.items() if own]


def _figure(name: str, points: list[RecalibrationPoint], answer: ExternalAnswer, slug: str) -> Figure:
    import altair as alt

    metric = metric_of(name)
    unit = "patients" if answer.images.patients else "images or groups of copies"
    numbers = [as_number(end) for one in points for end in (one.before, one.after, one.low, one.high)]
    y = Axis.of(metric, numbers, f"{metric.title} of the others")
    x = Axis(f"{unit} used", Domain.around([0.0, *(float(one.groups) for one in points)]))
    drawn = chart([
        {"groups": one.groups, "title": _words(one)}
        | {end: y.factor * as_number(getattr(one, end)) for end in ("after", "low", "high")} for one in points
    ])  # fmt: skip
    before = chart([{"before": y.factor * as_number(points[0].before), "text": "as it is"}])
    across, hint = x.channel(alt.X, "groups"), alt.Tooltip("title:N", title="\N{BULLET}")
    as_it_is = y.channel(alt.Y, "before")
    layers = [
        before.mark_rule(color=SHORTCUT, strokeDash=[4, 3]).encode(y=as_it_is),
        before.mark_text(color=SHORTCUT, align="left", dy=-6, dx=4).encode(x=alt.value(0), y=as_it_is, text="text:N"),
        drawn.mark_rule(color=MUTED, strokeWidth=2).encode(
            x=across, y=y.channel(alt.Y, "low"), y2="high", tooltip=hint
        ),
        drawn.mark_point(color=MARK, filled=True, opacity=1, size=60).encode(
            x=across, y=y.channel(alt.Y, "after"), tooltip=hint
        ),
    ]
    note = "Bars: 8 of 10 draws."
    alt_text = "; ".join(_words(one) for one in points)
    return Figure(f"{slug}-{name.replace('_', '-')}", metric.title, alt_text, fitted(layered(layers)), note=note)


def _words(one: RecalibrationPoint) -> str:
    metric = metric_of(one.metric)
    after = f"{metric.with_unit(one.after)} {metric.brackets(one.low, one.high)}"
    return f"recalibrated on {one.groups:,}: {after} instead of {metric.with_unit(one.before)}"
