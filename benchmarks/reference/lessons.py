"""Pictures that explain the statistics, of drawn numbers: ``make reference ONLY=lessons`` draws them anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .pictures import PICTURES
from .sets_and_ranks import methods_over_sets, sizes_of_sets

if TYPE_CHECKING:
    from leukobench.reporting.vega import Figure

_RESAMPLES, _WIDTH = 2000, 560


def draw_lessons() -> None:
    """Write every picture."""
    from leukobench.reporting.vega import write_figure

    for figure in lessons():
        write_figure(figure, PICTURES)


def lessons() -> list[Figure]:
    """Every picture."""
    return [resampling(), best_of_many(), way_to_the_best(), sizes_of_sets(), methods_over_sets()]


def resampling() -> Figure:
    """One score, resampled by image and by patient."""
    import altair as alt

    from leukobench.reporting.vega import MARK, SHORTCUT, Figure, chart

    patients, images = 20, 30
    rng = np.random.default_rng(1)
    right = rng.random((patients, images)) < rng.beta(4, 1, patients)[:, None]  # some patients are harder than others
    by_image = rng.choice(right.ravel(), (_RESAMPLES, right.size)).mean(axis=1)
    by_patient = right.mean(axis=1)[rng.integers(patients, size=(_RESAMPLES, patients))].mean(axis=1)
    rows = [
        {"unit": unit, "score": 100 * float(low), "count": int(count)}
        for unit, values in (("images", by_image), ("patients", by_patient))
        for count, low in zip(*np.histogram(values, np.arange(0.55, 0.95, 0.01)), strict=False)
    ]
    colour = alt.Color(
        "unit:N", title=None, scale=alt.Scale(domain=["images", "patients"], range=[SHORTCUT, MARK]),
        legend=alt.Legend(title="resampled"),
    )  # fmt: skip
    drawing = (
        chart(rows)
        .mark_area(interpolate="step", opacity=0.6, line=True)
        .encode(
            x=alt.X("score:Q", title="accuracy, %", scale=alt.Scale(domain=[55, 95])),
            y=alt.Y("count:Q", title="resamples", stack=None),
            color=colour,
        )
        .properties(width=_WIDTH, height=200)
    )
    alt_text = "Accuracies of resamples: a narrow hill where images are drawn, a much wider one for patients."
    return Figure("lesson-resampling", "Images, or patients?", alt_text, drawing, formats=("svg",))


def best_of_many() -> Figure:
    """The score of the best of N combinations that are all equally good, and what it is worth."""
    import altair as alt

    from leukobench.evaluation.statistics.winner import correct_for_selection
    from leukobench.reporting.vega import CONTENT, MARK, SHORTCUT, Figure, chart

    images, true, draws, resamples = 150, 0.8, 30, 100
    rng = np.random.default_rng(2)
    rows: list[dict[str, Any]] = []
    for count in (1, 2, 4, 8, 16, 32, 64, 128):
        apparent, corrected = [], []
        for _ in range(draws):
            right = (rng.random((count, images)) < true).astype(float)
            weights = rng.multinomial(images, np.full(images, 1 / images), resamples).T
            left = (weights == 0).astype(float)
            inside, outside = right @ weights / images, right @ left / left.sum(axis=0)
            equal = np.zeros((count, resamples))
            flags, features = np.zeros(count, bool), np.zeros(count)
            apparent.append(right.mean(axis=1).max())
            corrected.append(correct_for_selection(inside, outside, equal, flags, features).value)
        means = {"score of the winner": apparent, "corrected": corrected, "the truth": [true]}
        rows += [
            {"line": line, "count": count, "score": 100 * float(np.mean(values))} for line, values in means.items()
        ]
    lines = ["score of the winner", "corrected", "the truth"]
    colour = alt.Color(
        "line:N", legend=alt.Legend(title=None), scale=alt.Scale(domain=lines, range=[SHORTCUT, MARK, CONTENT])
    )
    dash = alt.StrokeDash(
        "line:N", legend=alt.Legend(title=None), scale=alt.Scale(domain=lines, range=[[1, 0], [1, 0], [5, 4]])
    )
    drawing = (
        chart(rows)
        .mark_line(point=True)
        .encode(
            x=alt.X("count:Q", title="combinations, all equally good", scale=alt.Scale(type="log", base=2)),
            y=alt.Y("score:Q", title="accuracy, %", scale=alt.Scale(domain=[76, 90])),
            color=colour,
            strokeDash=dash,
        )
        .properties(width=_WIDTH, height=220)
    )
    alt_text = "The winner's score rises with the number of combinations; its corrected score stays near the truth."
    return Figure("lesson-best-of-many", "The best of many", alt_text, drawing, formats=("svg",))


def way_to_the_best() -> Figure:
    """Where a shortcut stands between guessing and the best combination, and the verdict on it."""
    import altair as alt

    from leukobench.reporting.vega import INK, MARK, SHORTCUT, Figure, chart, layered

    rows = list(_cases())
    order = [row["case"] for row in rows]
    x = alt.Scale(domain=[20, 105])
    y = alt.Y("case:N", sort=order, title=None, axis=alt.Axis(grid=False, labelLimit=300))
    base = chart(rows)
    layers = [
        base.mark_rule(color=INK, opacity=0.3).encode(
            x=alt.X("guess:Q", scale=x, title="balanced accuracy, %"), x2="best:Q", y=y
        ),
        base.mark_rule(color=SHORTCUT, strokeWidth=6, opacity=0.4).encode(x="low:Q", x2="high:Q", y=y),
        base.mark_point(color=SHORTCUT, filled=True, size=90, shape="diamond", opacity=1).encode(x="shortcut:Q", y=y),
        base.mark_tick(color=INK, thickness=2, height=16).encode(x="guess:Q", y=y),
        base.mark_point(color=MARK, filled=True, size=110, opacity=1).encode(x="best:Q", y=y),
        base.mark_tick(color=INK, thickness=1, height=10).encode(x="half:Q", y=y),
    ]
    drawing = layered(layers).properties(width=_WIDTH - 120, height=alt.Step(34))
    alt_text = (
        "Four cases of a shortcut (diamond, with its interval) between guessing (tick) and the best combination (dot)."
    )
    return Figure("lesson-way", "How far does a shortcut come?", alt_text, drawing, formats=("svg",))


def _cases() -> Iterator[dict[str, Any]]:
    """Scores in percent: guessing, a shortcut with its interval, the best combination."""
    for case, shortcut, low, high, best in (
        ("Better than the shortcuts", 33, 25, 41, 88),
        ("PARTLY CONFOUNDED", 87, 84, 90, 99),
        ("CONFOUNDED", 74, 68, 80, 82),
        ("NOT BETTER THAN A SHORTCUT", 83, 76, 90, 86),
    ):
        yield {
            "case": case,
            "guess": 25,
            "half": (25 + best) / 2,
            "shortcut": shortcut,
            "low": low,
            "high": high,
            "best": best,
        }
