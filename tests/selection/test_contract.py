"""What every selector promises, over the registry."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.utils.estimator_checks import check_estimator

from leukobench.selection import SELECTORS

NAMES = [name for name in SELECTORS.names() if SELECTORS.ships(name)]
RANKING = [name for name in NAMES if name not in ("none", "pca")]


def make(name: str, **parameters: Any) -> Any:
    return SELECTORS.make(name, parameters, {"random_state": 0, "n_jobs": 1})


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(120, 30, n_informative=8, n_classes=3, random_state=3)
    X = X.astype(np.float32)
    X[:, 4] = 7.0
    X[:, 9] = np.float32(0.1) + np.tile([0, 1e-9], 60)
    return X, np.array(["Benign", "Early", "Pro"])[y]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "forest")) for name in NAMES])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks(name: str) -> None:
    check_estimator(make(name), on_skip=None)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_default_and_clone_keeps_it(name: str) -> None:
    assert ... not in SELECTORS.parameters(name).values()
    estimator = make(name)
    assert clone(estimator).get_params() == estimator.get_params()
    assert inspect.getdoc(SELECTORS.get(name))


@pytest.mark.parametrize("name", NAMES)
def test_constant_columns_leave_and_the_type_stays(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    fitted = make(name).fit(X, y)
    reduced = fitted.transform(X)
    assert reduced.dtype == np.float32
    assert 1 <= reduced.shape[1] <= 28
    assert np.ptp(reduced, axis=0).min() > 0
    assert not {4, 9} & set(fitted.support_)


@pytest.mark.parametrize("name", NAMES)
def test_noise_of_float32_is_no_variation_when_widened_to_float64(
    name: str, data: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = data
    noisy = np.nextafter(np.float32(0.1), np.float32(1), dtype=np.float32)
    X = X.copy()
    X[::2, 4] = noisy
    X[1::2, 4] = np.float32(0.1)
    narrow, wide = make(name).fit(X, y), make(name).fit(X.astype(np.float64), y)
    assert 4 not in wide.support_
    np.testing.assert_array_equal(narrow.support_, wide.support_)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_the_output_are_as_many_as_its_columns(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    fitted = make(name).fit(*data)
    names = fitted.get_feature_names_out()
    assert len(set(names)) == fitted.transform(data[0]).shape[1]
    if name != "pca":
        assert names.tolist() == [f"x{index}" for index in fitted.support_]
        np.testing.assert_array_equal(fitted.get_support(indices=True), fitted.support_)


@pytest.mark.parametrize("name", NAMES)
def test_frames_in_frames_out(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    frame = pd.DataFrame(X, columns=[f"avg_{i:04d}" for i in range(X.shape[1])])
    out = make(name).set_output(transform="pandas").fit(frame, y).transform(frame)
    assert isinstance(out, pd.DataFrame)
    if name != "pca":
        assert set(out.columns) <= set(frame.columns)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(name: str, bad: float, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    X = X.copy()
    X[3, 5] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        make(name).fit(X, y)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_constants_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Every feature is constant"):
        make(name).fit(np.ones((20, 4)), np.arange(20) % 2)


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (10, 10), (0.5, 14), (0.001, 1), (500, 28)])
def test_as_many_features_as_asked_for_and_never_none(
    name: str, asked: float, kept: int, data: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = data
    fitted = make(name, n_features=asked).fit(X, y)
    assert len(fitted.support_) == kept
    np.testing.assert_array_equal(fitted.transform(X), X[:, fitted.support_])
    np.testing.assert_array_equal(np.sort(fitted.support_), fitted.support_)


@pytest.mark.parametrize("name", [name for name in RANKING if name != "forest"])
def test_the_order_of_images_does_not_matter(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    order = np.random.default_rng(0).permutation(len(X))
    first, second = make(name, n_features=9).fit(X, y), make(name, n_features=9).fit(X[order], y[order])
    np.testing.assert_array_equal(first.support_, second.support_)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_selection(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    first, second = (make(name).fit(X, y).transform(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("fewer", [1, 7, 30])
def test_fewer_features_of_one_fit_are_those_of_a_fit_with_fewer(name: str, fewer: int) -> None:
    X, y = make_classification(80, 60, n_informative=10, n_classes=3, random_state=5)
    X[:, 3] = 1.0
    found = make(name, n_features=30).fit(X, y).keeping(fewer)
    assert found is not None
    expected = make(name, n_features=fewer).fit(X, y)
    assert found.support_.tolist() == expected.support_.tolist()
    np.testing.assert_array_equal(found.transform(X), expected.transform(X))
    assert found.get_params() == expected.get_params()
    assert make(name, n_features=30).fit(X, y).keeping(31) is None


def test_what_a_smaller_fit_would_rank_otherwise_is_fitted() -> None:
    X, y = make_classification(80, 20, n_informative=10, n_classes=3, random_state=5)
    assert make("rfe", n_features=10, estimator="logistic").fit(X, y).keeping(5) is None
    assert make("lasso", n_features=10, alpha=0.1).fit(X, y).keeping(5) is None
