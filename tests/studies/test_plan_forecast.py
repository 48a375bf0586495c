"""What many images cost is drawn on from known laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leukobench.studies.plan_forecast import Cells, fold_seconds, straight


def test_a_line_goes_through_the_last_two_points_and_never_falls() -> None:
    assert straight([(1, 9.0), (10, 3.0), (20, 5.0)], 100) == pytest.approx(21.0)
    assert straight([(10, 3.0)], 100) == pytest.approx(30.0)
    assert straight([], 100) == 0.0
    assert straight([(10, 8.0), (20, 4.0)], 100) == pytest.approx(4.0)
    assert straight([(10, 1.0), (20, 4.0)], 100) == pytest.approx(20.0), "no intercept below 0"


def trial(train: int, test: int, laws: dict[str, float], fixed: float = 0.0) -> Cells:
    """Two selectors; the fits of each classifier grow by a power, predictions by the images and half a power more."""
    rows = []
    for selector, cost in (("none", 0.0), ("rfe", 1e-3)):
        for classifier, power in laws.items():
            predict = 1e-6 * test * train**0.5
            rows.append(("x", selector, classifier, cost * train, fixed + 1e-5 * train**power, predict))
    columns = ["extractor", "selector", "classifier", "selector_s", "fit_s", "predict_s"]
    return Cells(train, test, pd.DataFrame(rows, columns=columns))


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_powers_are_found_and_drawn_on(power: float) -> None:
    laws = {"a": power, "b": 1.0}
    trials = [trial(size, size, laws) for size in (100, 400)]
    truth = trial(8000, 2000, laws).costs
    expected = truth.groupby("selector")["selector_s"].mean() + truth.groupby("selector")[
        ["fit_s", "predict_s"]
    ].sum().sum(axis=1)
    found = fold_seconds(trials, 8000, 2000).droplevel("extractor")
    np.testing.assert_allclose(found[expected.index], expected, rtol=1e-6)


def test_what_any_fit_costs_does_not_hide_that_the_rest_grows() -> None:
    laws = {"a": 1.0}
    trials = [trial(size, size, laws, fixed=1.0) for size in (100, 400)]
    truth = trial(8000, 8000, laws, fixed=1.0).costs["fit_s"].iloc[0]
    found = fold_seconds(trials, 8000, 1)["x", "none"]
    assert found == pytest.approx(truth, rel=0.05)


def test_one_trial_is_drawn_on_by_the_square_root() -> None:
    one = trial(100, 100, {"a": 1.0})
    fit = one.costs["fit_s"].iloc[0] * 3**0.5
    assert fold_seconds([one], 300, 1)["x", "none"] == pytest.approx(fit, rel=0.01)


def test_cells_are_means_over_the_folds() -> None:
    rows = [
        ("x", "none", "a", fold, metric, value)
        for fold in (0, 1)
        for metric, value in (("fit_s", 1.0 + fold), ("auroc", 0.5))
    ]
    scores = pd.DataFrame(rows, columns=["extractor", "selector", "classifier", "fold", "metric", "value"])
    costs = Cells.of(scores, 10, 10).costs
    assert costs.iloc[0].to_dict() == {
        "extractor": "x", "selector": "none", "classifier": "a", "selector_s": 0.0, "fit_s": 1.5, "predict_s": 0.0,
    }  # fmt: skip
