"""Pictures of drawn numbers that explain prediction sets, and methods over data sets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leukobench.reporting.vega import Figure

_LEVELS = (0.8, 0.85, 0.9, 0.95, 0.98)
_PATIENTS, _CLASSES = 400, 4


def sizes_of_sets() -> Figure:
    """How many classes a prediction set has, and how often it holds the true one, of a sure and an unsure model."""
    import altair as alt

    from leukobench.reporting.vega import MARK, SHORTCUT, Figure, chart

    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    models = {"a good model": 2.3, "a weak model": 1.0}
    for name, strength in models.items():
        rows += [{"model": name, **row} for row in _sets(rng, strength)]
    colour = alt.Color(
        "model:N", legend=alt.Legend(title=None), scale=alt.Scale(domain=list(models), range=[MARK, SHORTCUT])
    )
    drawing = (
        chart(rows)
        .mark_line(point=True)
        .encode(
            x=alt.X("level:Q", title="level that you choose, %", scale=alt.Scale(domain=[79, 99])),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
            color=colour,
        )
        .properties(width=230, height=180)
        .facet(column=alt.Column("what:N", sort=["new patients' sets that hold the true class, %", "classes in a set"]))
        .resolve_scale(y="independent")
    )
    alt_text = (
        "Sets of both models hold the true class as often as was chosen; those of the weak model have more classes."
    )
    return Figure("lesson-sets", "What a prediction set costs", alt_text, drawing, formats=("svg",))


def _sets(rng: np.random.Generator, strength: float) -> list[dict[str, Any]]:
    """At each level: how many sets of new patients hold the true class, and how many classes they have."""
    from scipy.special import softmax

    from leukobench.serving.conformal import ConformalScores, prediction_sets

    labels = rng.integers(_CLASSES, size=2 * _PATIENTS)
    logits = rng.normal(size=(labels.size, _CLASSES))
    logits[np.arange(labels.size), labels] += strength
    probabilities = softmax(logits, axis=1)
    calibration, new = slice(_PATIENTS), slice(_PATIENTS, None)
    true = probabilities[np.arange(labels.size), labels]
    scores = ConformalScores(1 - true[calibration], labels[calibration], np.arange(_PATIENTS), _CLASSES)
    rows = []
    for level in _LEVELS:
        sets = prediction_sets(probabilities[new], scores.thresholds(level))
        covered = 100 * float(sets[np.arange(_PATIENTS), labels[new]].mean())
        rows.append({"level": 100 * level, "what": "new patients' sets that hold the true class, %", "value": covered})
        rows.append({"level": 100 * level, "what": "classes in a set", "value": float(sets.sum(axis=1).mean())})
    return rows


def methods_over_sets() -> Figure:
    """Mean ranks of five methods on twelve data sets."""
    import pandas as pd

    from leukobench.evaluation.statistics.several_data_sets import compare_methods
    from leukobench.reporting.critical_difference import critical_difference_figure

    rng = np.random.default_rng(4)
    skill = {"svm_rbf": 0.9, "lda": 0.89, "logistic_regression": 0.88, "random_forest": 0.86, "naive_bayes": 0.8}
    difficulty = rng.normal(0, 0.05, (12, 1))
    scores = pd.DataFrame(
        np.array(list(skill.values())) + difficulty + rng.normal(0, 0.015, (12, 5)), columns=list(skill)
    )
    compared = compare_methods(scores)
    figure = critical_difference_figure(compared.ranks, compared.critical_difference, "lesson-ranks")
    return replace(figure, formats=("svg",))
