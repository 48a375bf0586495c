"""Patients by the share of their images that the best combination predicts correctly."""

from __future__ import annotations

from ...evaluation.combination_names import names_of, rows_of
from ...runs.finished import FinishedRun
from ..report.numbers import title_of
from ..vega import MARK, Figure, chart, layered
from .axes import WHOLE, Axis, Domain, fitted

_BINS = 10


def patients_figure(run: FinishedRun) -> Figure | None:
    """None where no patients are known."""
    table = run.table("patients.parquet")
    rows = rows_of(table, names_of(run.ranked[0])) if run.ranked else table.iloc[:0]
    if not len(rows):
        return None
    import altair as alt

    shares = rows["accuracy"].tolist()
    counts = [0] * _BINS
    for share in shares:
        counts[min(int(share * _BINS + 1e-9), _BINS - 1)] += 1
    x = Axis("share of a patient's images predicted correctly", WHOLE, percent=True)
    y = Axis("patients", Domain(0.0, 1.12 * max(counts)))
    width = 100 // _BINS
    bars = chart([
        {"from": width * place, "to": width * (place + 1), "count": count, "zero": 0, "text": f"{count:,}",
         "title": f"{count:,} patients with {width * place} to {width * (place + 1)} % correct",
         "middle": width * (place + 0.5)}
        for place, count in enumerate(counts) if count
    ])  # fmt: skip
    up = y.channel(alt.Y, "count")
    boxes = bars.mark_rect(color=MARK, opacity=0.75, stroke="#ffffff", strokeWidth=1).encode(
        x=x.channel(alt.X, "from"), x2="to", y=up, y2="zero", tooltip=alt.Tooltip("title:N")
    )
    numbers = bars.mark_text(dy=-8, fontWeight="bold").encode(x=x.channel(alt.X, "middle"), y=up, text="text:N")
    alt_text = (
        f"{len(shares)} patients by the share of their images that {title_of(names_of(run.ranked[0]))} predicts "
        f"correctly; lowest {100 * min(shares):.0f} %, {counts[-1]} of at least 90 %."
    )
    return Figure("patients", "Patients by share of images correct", alt_text, fitted(layered([boxes, numbers])))
