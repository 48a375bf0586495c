"""How much the folds agree on the features that they keep."""

from __future__ import annotations

import math
from typing import Any

from ...evaluation.combination_names import CONTENT, SHORTCUT, short_name
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import as_number
from ..vega import LINE, MARK, SERIES, Figure, chart, layered
from .axes import Axis, Domain

INDICES = ("kuncheva", "nogueira", "jaccard")


def agreements(run: FinishedRun) -> list[Row]:
    """Rows of ``stability.csv`` with numbers; without selectors that keep all features or make new ones."""
    table = run.table("stability.csv")
    if not len(table):
        return []
    rows = [row for row in records(table) if not str(row["extractor"]).startswith((SHORTCUT, CONTENT))]
    numbers = [{**row, **{name: as_number(row.get(name)) for name in INDICES}} for row in rows]
    return [row for row in numbers if not all(math.isnan(row[name]) for name in INDICES[:2])]


def stability_figure(run: FinishedRun) -> Figure | None:
    """None where no selector chooses among features. The index of Nogueira, or Kuncheva's where that is not defined."""
    import altair as alt

    rows = agreements(run)
    if not rows:
        return None
    extractors = list(dict.fromkeys(str(row["extractor"]) for row in rows))
    selectors = list(dict.fromkeys(short_name(str(row["selector"])) for row in rows))
    data: list[dict[str, Any]] = [
        {"selector": short_name(str(row["selector"])), "extractor": short_name(str(row["extractor"])),
         "value": _index(row), "title": f"{row['extractor']}, {row['selector']}: {_index(row):.2f}, "
         f"{row['features']:,.0f} features"}
        for row in rows
    ]  # fmt: skip
    names = [short_name(name) for name in extractors]
    least = min(0.0, *(row["value"] for row in data))
    x = Axis("agreement of the folds (index of Nogueira)", Domain(least - 0.02, 1.02)).channel(alt.X, "value")
    y = alt.Y("selector:N", sort=selectors, axis=alt.Axis(title=None, grid=False, labelOverlap=False, labelLimit=120))
    offset = alt.YOffset("extractor:N", sort=names)
    legend = alt.Legend(columns=1, labelLimit=300) if len(names) > 1 else None
    colours = [MARK, *SERIES[1:]] if len(names) > 1 else [MARK]
    colour = alt.Color("extractor:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend)
    both = chart(data)
    layers = [
        both.mark_rule(color=LINE).encode(x=x, x2=alt.datum(0), y=y, yOffset=offset),
        both.mark_point(filled=True, size=70, opacity=1).encode(
            x=x, y=y, yOffset=offset, color=colour, tooltip=alt.Tooltip("title:N", title="\N{BULLET}")
        ),
    ]
    best, worst = (pick(data, key=lambda row: row["value"]) for pick in (max, min))
    alt_text = f"Agreement of the folds on the selected features; most: {best['title']}; least: {worst['title']}."
    drawing = layered(layers).properties(width=210, height=alt.Step(18))
    note = "1: the same features in every fold; 0: no more agreement than by chance."
    return Figure("stability", "Which features the folds keep", alt_text, drawing, note=note)


def _index(row: Row) -> float:
    return float(row["kuncheva"] if math.isnan(row["nogueira"]) else row["nogueira"])
