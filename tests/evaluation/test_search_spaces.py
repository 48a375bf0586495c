"""Search spaces, one contract over both registries; and the searches that an experiment asks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError, EngineError
from leukobench.evaluation.methods import FitRules, Method, make_method
from leukobench.evaluation.tuning import Chosen, InnerFeatures, tune
from leukobench.registry import Registry
from leukobench.selection import SELECTORS
from leukobench.steps.choose_methods import fit_rules, make_methods

REGISTRIES = {"selector": SELECTORS, "classifier": CLASSIFIERS}
SPACES = {
    family: {name: registry.get(name).search_space for name in registry.shipped_names()}
    for family, registry in REGISTRIES.items()
}
WITHOUT_SPACE = {
    "none": "there is nothing to choose",
    "linear_probe": "a published protocol, with its penalty given by the numbers of features and classes",
}
FEW_TREES = {"random_forest": {"n_estimators": 4}, "xgboost": {"n_estimators": 4}, "forest": {"n_trees": 4}}
SEARCHED = [
    pytest.param(family, name, id=f"{family}-{name}")
    for family in SPACES
    for name in SPACES[family]
    if name not in WITHOUT_SPACE
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the runner has it."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    return make_classification(60, 420, n_informative=30, n_classes=3, n_clusters_per_class=1, random_state=0)


def searching(family: str, name: str) -> Method:
    """A shipped method with the whole of its space."""
    few, space = FEW_TREES.get(name, {}), SPACES[family][name]
    return make_method(REGISTRIES[family], name, few, name, 0, axes=space)


def test_every_shipped_name_has_either_a_space_or_a_reason_for_none() -> None:
    empty = [name for spaces in SPACES.values() for name, space in spaces.items() if not space]
    assert sorted(empty) == sorted(WITHOUT_SPACE)


@pytest.mark.parametrize(("family", "name"), SEARCHED)
def test_spaces_name_parameters_and_begin_with_the_defaults(family: str, name: str) -> None:
    defaults = REGISTRIES[family].parameters(name)
    for parameter, values in SPACES[family][name].items():
        assert parameter in defaults
        assert repr(values[0]) == repr(defaults[parameter])
        assert 1 < len(values) == len(set(map(repr, values)))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), SEARCHED)
def test_every_candidate_is_made_with_its_values_and_can_be_fitted(
    family: str, name: str, data: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = data
    method = searching(family, name)
    assert len(method.candidates) == np.prod([len(values) for values in method.axes.values()])
    for candidate in method.candidates:
        found = {key.rpartition("__")[2]: value for key, value in candidate.estimator.get_params().items()}
        assert {key: found[key] for key in method.axes} == candidate.parameters
        fitted = candidate.estimator.fit(X, y)
        if family == "classifier":
            assert np.mean(fitted.predict(X) == y) > 0.5
        else:
            assert fitted.transform(X).shape == (60, expected_width(X, **candidate.parameters))


def expected_width(X: np.ndarray, n_features: int = 0, n_components: float = 0) -> int:
    """How many columns a selector has to leave."""
    if n_features:
        return n_features
    shares = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[: len(X) - 1] ** 2
    if n_components >= 1:
        return min(int(n_components), len(shares))
    return 1 + int(np.searchsorted(shares.cumsum() / shares.sum(), n_components))


@pytest.mark.parametrize(("family", "name"), SEARCHED)
def test_the_first_candidate_is_the_method_as_it_comes(family: str, name: str) -> None:
    plain = make_method(REGISTRIES[family], name, FEW_TREES.get(name, {}), name, 0)
    method = searching(family, name)
    assert repr(method.candidates[0].estimator) == repr(method.estimator) == repr(plain.estimator)
    assert (plain.axes, [candidate.parameters for candidate in plain.candidates]) == ({}, [{}])
    assert method.identity != plain.identity


def test_candidates_are_all_choices_seeded_and_single_threaded() -> None:
    axes = {"max_features": ["sqrt", 0.1], "min_samples_leaf": [1, 3]}
    method = make_method(CLASSIFIERS, "random_forest", {"max_depth": 2}, "rf", 7, class_weight=True, axes=axes)
    expected = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    assert [candidate.parameters for candidate in method.candidates] == expected
    shared = {"max_depth": 2, "random_state": 7, "n_jobs": 1, "class_weight": "balanced"}
    for candidate in method.candidates:
        assert (shared | dict(candidate.parameters)).items() <= candidate.estimator.get_params().items()


def methods_of(**said: Any) -> tuple[list[Method], list[Method], FitRules]:
    experiment = for_folder(Path("images"), **said)
    return *make_methods(experiment), fit_rules(experiment)


def test_tuning_searches_the_spaces_of_whatever_is_not_fixed() -> None:
    said = {"selectors": ["none", "anova", "pca"], "classifiers": [{"svm_rbf": {"C": 3}}, "lda", "linear_probe"]}
    selectors, classifiers, rules = methods_of(**said, evaluation={"tuning": "grid"})
    assert [method.axes for method in selectors] == [{}, SPACES["selector"]["anova"], SPACES["selector"]["pca"]]
    gamma = {"gamma": SPACES["classifier"]["svm_rbf"]["gamma"]}
    assert [method.axes for method in classifiers] == [gamma, SPACES["classifier"]["lda"], {}]
    assert {candidate.estimator.get_params()["C"] for candidate in classifiers[0].candidates} == {3}
    assert rules.tuning == "grid"
    selectors, classifiers, rules = methods_of(**said)
    assert [method.axes for method in [*selectors, *classifiers]] == [{}] * 6
    assert rules.tuning == "none"


@pytest.mark.parametrize(("tuning", "points"), [("none", 5), ("grid", 5), ("optuna", 15)])
def test_a_named_search_replaces_the_space_and_is_carried_out_whatever_the_tuning(tuning: str, points: int) -> None:
    svm = {"svm_rbf": {"scale": True, "C": {"search": {"low": 0.1, "high": 1000, "log": True}}}}
    anova = {"anova": {"n_features": {"search": [5, 10]}}}
    selectors, (method,), rules = methods_of(selectors=[anova], classifiers=[svm], evaluation={"tuning": tuning})
    assert selectors[0].axes == {"n_features": [5, 10]}
    assert list(method.axes) == ["C"]
    np.testing.assert_allclose(method.axes["C"], np.geomspace(0.1, 1000, points))
    assert [candidate.estimator.get_params()["kernelmachine__C"] for candidate in method.candidates] == method.axes["C"]
    assert rules.tuning == ("grid" if tuning == "none" else tuning)
    assert (selectors[0].label, method.label) == ("anova(n_features=tuned)", "svm_rbf(scale=True, C=tuned)")


def test_a_range_is_even_without_log() -> None:
    _, (method,), _ = methods_of(classifiers=[{"lda": {"shrinkage": {"search": {"low": 0, "high": 1}}}}])
    assert method.axes == {"shrinkage": [0.0, 0.25, 0.5, 0.75, 1.0]}


def test_what_is_searched_and_how_decides_the_record() -> None:
    said = [{"C": {"search": [1, 10]}}, {"C": {"search": [1, 5]}}, {"C": 1}, {}]
    identities = [methods_of(classifiers=[{"svm_rbf": parameters}])[1][0].identity for parameters in said]
    assert all(identities.count(identity) == 1 for identity in identities)
    evaluations = [{}, *({"tuning": "optuna", "budget": budget} for budget in (5, 6)), {"tuning": "grid"}]
    rules = [methods_of(evaluation=evaluation)[2].identity() for evaluation in evaluations]
    rules.append(methods_of(evaluation={"tuning": "grid", "rank_by": "mcc"})[2].identity())
    assert all(rules.count(identity) == 1 for identity in rules)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"classifiers": [{"svm_rbf": {"C": {"search": [1, -1]}}}]}, r"refuses its parameters.*'C': -1"),
        ({"classifiers": [{"svm_rbf": {"c": {"search": [1, 2]}}}]}, r"no parameter 'c'.*did you mean C"),
        ({"classifiers": [{"svm_rbf": {"C": [1, 10]}}]}, r"refuses its parameters.*'C': \[1, 10\]"),
        ({"selectors": [{"anova": {"n_features": {"search": [5, 0]}}}]}, r"refuses its parameters.*'n_features': 0"),
        ({"selectors": [{"none": {"n_features": {"search": [5]}}}]}, r"no parameter 'n_features'"),
    ],
)
def test_impossible_values_of_a_search_are_refused_before_anything_is_fitted(
    said: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){message}"):
        methods_of(**said)


class Listed(GaussianNB):
    """Writes down each C that it is fitted with."""

    seen: ClassVar[list[float]] = []

    def __init__(self, C: float = 1.0) -> None:
        super().__init__(var_smoothing=C)
        self.C = C

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Listed:
        self.seen.append(self.C)
        return super().fit(X, y)


def optuna_tries(seed: int, budget: int, values: int = 18) -> tuple[list[float], Chosen]:
    """Every C that was fitted, once for each of three inner folds; and what was chosen."""
    X, y = make_classification(48, 12, n_informative=6, n_classes=3, n_clusters_per_class=1, random_state=3)
    splits = list(StratifiedGroupKFold(3, shuffle=True, random_state=0).split(X, y, np.arange(48) // 2))
    registry = Registry("classifier")
    registry.add("listed", Listed)
    axis = [10.0**power for power in range(-9, values - 9)]
    listed, none = (
        make_method(registry, "listed", {}, "l", 0, axes={"C": axis}),
        make_method(SELECTORS, "none", {}, "n", 0),
    )
    Listed.seen.clear()
    chosen = tune(
        none, listed, InnerFeatures(X, y), lambda: splits, FitRules(seed=seed, tuning="optuna", budget=budget)
    )
    return list(Listed.seen), chosen


@pytest.mark.parametrize("budget", [1, 2, 6, 12])
def test_optuna_tries_the_default_first_and_no_more_than_its_budget(budget: int) -> None:
    seen, chosen = optuna_tries(0, budget)
    tried = list(dict.fromkeys(seen))
    assert tried[0] == 1e-9
    assert min(budget, 2) <= len(tried) == chosen.tried <= budget
    assert len(seen) == 3 * len(tried)
    assert chosen.classifier.parameters["C"] in tried


def test_a_budget_for_everything_tries_everything() -> None:
    seen, chosen = optuna_tries(0, 18)
    assert len(set(seen)) == chosen.tried == 18


def test_the_seed_decides_what_optuna_tries() -> None:
    first, again, other = (optuna_tries(seed, 8)[0] for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_without_optuna_its_search_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EngineError, match=r"pip install 'leukobench\[tuning\]'"):
        optuna_tries(0, 2)
