"""What every classifier promises, over the registry, and each against plain scikit-learn or XGBoost."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import ConfigurationError

NAMES = [name for name in CLASSIFIERS.names() if CLASSIFIERS.ships(name)]
WITHOUT_PROBABILITIES = {"svm_linear", "svm_rbf", "svm_linear_primal", "svm_rbf_nystroem"}
WITHOUT_CLASS_WEIGHT = {"knn", "lda"}

_ITERATIVE = "the solver stops within a tolerance, so a repeated image is only nearly an image of double weight"
_DRAWN = "the images of a tree are drawn, so a repeated image is not an image of double weight"
_STEPS = "a Pipeline fits the steps it was given"
NOT_PASSED = {
    "svm_linear": {f"check_sample_weight_equivalence_on_{kind}_data": _ITERATIVE for kind in ("dense", "sparse")},
    "svm_rbf": {f"check_sample_weight_equivalence_on_{kind}_data": _ITERATIVE for kind in ("dense", "sparse")},
    "svm_rbf_nystroem": {
        f"check_{name}": _STEPS for name in ("estimators_overwrite_params", "dont_overwrite_parameters")
    },
    "random_forest": {f"check_sample_weight_equivalence_on_{kind}_data": _DRAWN for kind in ("dense", "sparse")},
    "logistic_regression": {
        f"check_{name}": _STEPS for name in ("estimators_overwrite_params", "dont_overwrite_parameters")
    },
}
LONG = {"dense_head"}  # each of its many fits compiles a network
FOREIGN = {"dense_head": ("keras",)}
CHECKED = [name for name in NAMES if name != "lda"]  # lda declares a `transform` that scikit-learn's solver has not

PLAIN = {
    "svm_linear": lambda: SVC(kernel="linear"),
    "svm_rbf": lambda: SVC(C=10),
    "svm_linear_primal": lambda: LinearSVC(dual=False, tol=1e-3),
    "svm_rbf_nystroem": lambda: make_pipeline(
        Nystroem(gamma=SVC().fit(*FIRST)._gamma, n_components=100, random_state=0),
        LinearSVC(C=10, dual=False, tol=1e-3),
    ),
    "random_forest": lambda: RandomForestClassifier(200, random_state=0),
    "naive_bayes": lambda: GaussianNB(var_smoothing=1e-3),
    "knn": lambda: KNeighborsClassifier(5),
    "logistic_regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6, max_iter=5000)),
    "linear_probe": lambda: LogisticRegression(C=20 * 3 / 100, max_iter=1000),
    "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
}


def make(name: str, **parameters: Any) -> Any:
    return CLASSIFIERS.make(name, parameters, {"random_state": 0, "n_jobs": 1})


def marked(names: list[str], mark: pytest.MarkDecorator = pytest.mark.slow) -> list[Any]:
    """The names; what takes long bears a mark."""
    return [pytest.param(name, marks=[mark] if name in LONG else []) for name in names]


def drawn() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(150, 20, n_informative=8, n_classes=3, weights=[0.6, 0.3], random_state=3)
    return X.astype(np.float32), np.array(["Pro", "Benign", "Early"])[y]


FIRST = tuple(part[:100] for part in drawn())


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    return drawn()


@pytest.mark.parametrize("name", marked(CHECKED, pytest.mark.thorough))
@pytest.mark.filterwarnings("ignore")  # scikit-learn's own data is tiny, and its estimators warn of that
def test_scikit_learns_own_checks(name: str) -> None:
    # Ten trees are quick; what a weight is worth shows only where the solver goes on to the end.
    few = {"random_forest": {"n_estimators": 10}, "xgboost": {"n_estimators": 10}, "svm_linear_primal": {"tol": 1e-6}}
    expected = NOT_PASSED.get(name, {})
    results = check_estimator(
        make(name, **few.get(name, {})), on_skip=None, on_fail=None, expected_failed_checks=expected
    )
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_learnt_and_repeatable(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    first, second = make(name).fit(X[:100], y[:100]), make(name).fit(X[:100], y[:100])
    assert first.classes_.tolist() == ["Benign", "Early", "Pro"]
    np.testing.assert_array_equal(first.predict(X[100:]), second.predict(X[100:]))
    assert (first.predict(X[100:]) == y[100:]).mean() > 0.6
    assert hasattr(first, "predict_proba") == (name not in WITHOUT_PROBABILITIES)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_have_defaults_and_a_docstring(name: str) -> None:
    assert ... not in CLASSIFIERS.parameters(name).values()
    assert "References" in (inspect.getdoc(CLASSIFIERS.get(name)) or "")
    estimator = make(name)
    assert str(clone(estimator).get_params()) == str(estimator.get_params())


@pytest.mark.parametrize("name", list(PLAIN))
def test_the_default_is_what_plain_scikit_learn_computes(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    own = {"engine": "scikit-learn"} if name == "random_forest" else {}
    mine, plain = make(name, **own).fit(X[:100], y[:100]), PLAIN[name]().fit(X[:100], y[:100])
    method = "decision_function" if name in WITHOUT_PROBABILITIES else "predict_proba"
    np.testing.assert_allclose(getattr(mine, method)(X[100:]), getattr(plain, method)(X[100:]), rtol=1e-9)


def plain_xgboost(X: np.ndarray, codes: np.ndarray, **parameters: float) -> np.ndarray:
    from xgboost import XGBClassifier

    settings = {
        "n_estimators": 100, "max_depth": 3, "learning_rate": 0.3, "max_bin": 32, "subsample": 1.0,
        "colsample_bynode": 0.1, "reg_lambda": 3.0, "tree_method": "hist", "random_state": 0, "n_jobs": 1,
    }  # fmt: skip
    return XGBClassifier(**(settings | parameters)).fit(X[:100], codes[:100]).predict_proba(X[100:])


@pytest.mark.parametrize("classes", [2, 3])
def test_xgboost_is_plain_xgboost_on_encoded_labels(data: tuple[np.ndarray, np.ndarray], classes: int) -> None:
    X, y = data
    codes = np.unique(y, return_inverse=True)[1] % classes
    found = make("xgboost").fit(X[:100], codes[:100] * 7).predict_proba(X[100:])
    np.testing.assert_array_equal(found, plain_xgboost(X, codes))


def test_xgboosts_candidates_share_one_binned_matrix(
    data: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    import xgboost

    X, y = data[0] + np.float32(0.25), data[1]  # numbers that no other test has binned
    codes = np.unique(y, return_inverse=True)[1]
    binned: list[int] = []
    matrix = xgboost.QuantileDMatrix
    monkeypatch.setattr(xgboost, "QuantileDMatrix", lambda *a, **k: binned.append(1) or matrix(*a, **k))
    for depth in (2, 3, 4):
        found = make("xgboost", max_depth=depth).fit(X[:100], y[:100]).predict_proba(X[100:])
        np.testing.assert_array_equal(found, plain_xgboost(X, codes, max_depth=depth))
    assert len(binned) == 1
    make("xgboost", max_bin=16).fit(X[:100], y[:100])
    make("xgboost").fit(X[:100] * 2, y[:100])
    make("xgboost").fit(X[:100], y[:100][::-1])
    make("xgboost", class_weight="balanced").fit(X[:100], y[:100])
    assert len(binned) == 5, "other bins, images, labels or weights are binned anew"


@pytest.mark.parametrize(
    ("asked", "shown", "built", "device"),
    [
        ("auto", True, True, "cuda"),
        ("auto", True, False, "cpu"),
        ("auto", False, True, "cpu"),
        ("cpu", True, True, "cpu"),
        ("cuda", False, False, "cuda"),
    ],
)
def test_xgboost_takes_a_gpu_where_there_is_one(
    asked: str, shown: bool, built: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import xgboost

    from leukobench.classifiers import boosting

    monkeypatch.setattr(boosting, "has_gpu", lambda: shown)
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": built})
    assert boosting._device(asked) == device


@pytest.mark.parametrize("labels", [np.array([3, 7, 11]), np.array(["x", "y", "z"]), np.array([0, 2, 2])])
def test_xgboost_takes_any_labels(labels: np.ndarray, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    y = labels[np.unique(y, return_inverse=True)[1]]
    fitted = make("xgboost").fit(X, y)
    assert fitted.classes_.tolist() == sorted(set(labels.tolist()))
    assert set(fitted.predict(X)) <= set(labels.tolist())


@pytest.mark.parametrize("name", marked(NAMES))
def test_class_weights_change_the_fit_or_are_no_parameter(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    if name in WITHOUT_CLASS_WEIGHT:
        with pytest.raises(ConfigurationError, match="no parameter 'class_weight'"):
            make(name, class_weight="balanced")
        return
    method = "decision_function" if name in WITHOUT_PROBABILITIES else "predict_proba"
    soft = {"C": 0.1} if name in WITHOUT_PROBABILITIES else {}
    weighted, plain = make(name, class_weight="balanced", **soft).fit(X, y), make(name, **soft).fit(X, y)
    assert not np.allclose(getattr(weighted, method)(X), getattr(plain, method)(X))


@pytest.mark.parametrize("name", ["svm_rbf", "svm_linear", "knn", "logistic_regression", "lda"])
def test_scale_is_a_choice(name: str) -> None:
    assert hasattr(make(name, scale=True), "steps")
    assert not hasattr(make(name, scale=False), "steps")
    with pytest.raises(ConfigurationError, match="scale must be true or false"):
        make(name, scale="yes")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("svm_rbf", {"C": -1}),
        ("xgboost", {"subsample": 2}),
        ("knn", {"metric": "nearest"}),
        ("random_forest", {"n_estimators": 0}),
    ],
)
def test_impossible_values_are_refused_before_any_fit(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="refuses its parameters"):
        make(name, **parameters)


def test_balanced_naive_bayes_has_equal_priors_and_its_weights_are_repeated_images(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = data
    equal = GaussianNB(priors=[1 / 3] * 3, var_smoothing=1e-3).fit(X, y)
    np.testing.assert_allclose(
        make("naive_bayes", class_weight="balanced").fit(X, y).predict_proba(X), equal.predict_proba(X)
    )
    counts = np.where(y == "Pro", 3, 1)
    repeated = GaussianNB(var_smoothing=0).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    weighted = make("naive_bayes", class_weight={"Pro": 3}, var_smoothing=0).fit(X, y)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-4)


@pytest.mark.parametrize("name", marked(NAMES))
def test_a_fitted_classifier_consists_of_known_types(name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    known = ("builtins", "numpy", "sklearn", "xgboost", "leukobench", *FOREIGN.get(name, ()))
    seen = {type(part).__module__.partition(".")[0] for part in parts_of(make(name).fit(*data))}
    assert seen <= set(known)


def parts_of(thing: Any) -> Iterator[Any]:
    """A fitted object and everything it holds; what a library stores in a format of its own is one part."""
    yield thing
    if isinstance(thing, (list, tuple, set)):
        held = list(thing)
    elif isinstance(thing, dict):
        held = [*thing, *thing.values()]
    else:
        ours = type(thing).__module__.startswith(("sklearn", "leukobench")) and not type(thing).__module__.endswith(
            "_tree"
        )
        held = list(vars(thing).values()) if ours and hasattr(thing, "__dict__") else []
    for part in held:
        yield from parts_of(part)
