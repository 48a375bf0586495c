"""A map of the features: two principal components of a sample, coloured by class, patient or site."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ...runs.finished import FinishedRun
from ..vega import NARROW, SERIES, SHAPES, Figure, chart
from .axes import SIDE, Domain

if TYPE_CHECKING:
    import pandas as pd

_TABLE = "feature_map.parquet"
_FACTS = {"label": "class", "patient": "patient", "site": "site"}
"""Columns of ``images.parquet`` that points can be coloured by, and their words."""
_NAMED = 10
"""Names in the legend at most."""


def feature_map_figure(run: FinishedRun) -> Figure | None:
    """None where a run has no map. Where scripts run, the points can be coloured by patient or site, too."""
    table = run.table(_TABLE)
    if not len(table) or not run.ranked:
        return None
    images = run.images.set_index("row").loc[table["row"]].reset_index(drop=True)
    facts = [column for column in _FACTS if column in images and images[column].nunique() > 1]
    if "label" not in facts:
        return None
    shares = [100 * float(table[f"share_{axis}"].iloc[0]) for axis in "xy"]
    extractor = str(run.ranked[0]["extractor"])
    note = (
        f"{len(table):,} images, {extractor}, every feature standardised. What lies apart here is apart; what lies "
        "together here may be apart in other components."
    )
    classes = sorted(images["label"].unique())
    colours = " or ".join(_FACTS[column] for column in facts)
    alt = f"Two principal components of the features, coloured by {colours}. Classes: {', '.join(classes)}. {note}"
    drawing = _points(table, images, facts, shares).properties(width=NARROW - 50, height=SIDE)
    drawing = drawing.properties(autosize={"type": "pad", "resize": True})  # the legend is longer for patients
    return Figure("feature-map", "Map of the features", alt, drawing, note=note)


def _points(table: pd.DataFrame, images: pd.DataFrame, facts: list[str], shares: list[float]) -> Any:
    import altair as alt

    columns = {axis: [round(value, 3) for value in table[axis].tolist()] for axis in "xy"}
    columns |= {_FACTS[fact]: images[fact].astype(str).tolist() for fact in facts}
    columns["file"] = [PurePath(str(path)).name for path in images["path"]]
    data = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    words = [_FACTS[fact] for fact in facts]
    chosen = alt.param(name="coloured", value="class", bind=alt.binding_select(options=words, name="coloured by "))
    x, y = (
        channel(
            f"{axis}:Q",
            scale=_scale(table[axis].tolist()),
            axis=alt.Axis(labels=False, title=f"component {place} ({share:.1f} % of the variance)"),
        )
        for channel, axis, place, share in zip((alt.X, alt.Y), "xy", (1, 2), shares, strict=True)
    )
    legend = alt.Legend(columns=2, symbolLimit=_NAMED, labelLimit=150)
    points = chart(data).transform_calculate(shown="datum[coloured]").mark_point(filled=True, size=22, opacity=0.7)
    drawn = points.encode(
        x=x,
        y=y,
        color=alt.Color("shown:N", scale=alt.Scale(range=list(SERIES)), legend=legend),
        shape=alt.Shape("class:N", scale=alt.Scale(range=list(SHAPES)), legend=None),
        tooltip=[alt.Tooltip(f"{name}:N", title=name) for name in [*words, "file"]],
    )
    return drawn.add_params(chosen) if len(words) > 1 else drawn.add_params(alt.param(name="coloured", value="class"))


def _scale(values: list[float]) -> Any:
    import altair as alt

    ends = Domain.around(values, 0.03)
    return alt.Scale(domain=[ends.low, ends.high], nice=False, zero=False)
