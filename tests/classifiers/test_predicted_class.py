from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OutputCodeClassifier

from leukobench.classifiers.predicted_class import PredictedClass
from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.methods import FitRules, estimator_factory
from leukobench.serving.estimators import from_bytes
from leukobench.serving.stored_estimators import to_bytes
from leukobench.steps.choose_methods import make_methods

ONLY_PREDICTS = "example_plugin:OnlyPredicts"
RIDGE = "sklearn.linear_model.RidgeClassifier"


def data(classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(300) % classes
    X = rng.normal(size=(300, 4))
    X[np.arange(300), y] += 2
    return X, y


@pytest.mark.parametrize("classes", [2, 3])
def test_decisions_say_what_is_predicted(classes: int) -> None:
    X, y = data(classes)
    code = OutputCodeClassifier(LogisticRegression(), random_state=0)
    estimator, expected = PredictedClass(code).fit(X, y), code.fit(X, y).predict(X)
    decisions = estimator.decision_function(X)
    label = (decisions > 0).astype(int) if classes == 2 else decisions.argmax(axis=1)
    assert np.array_equal(label, expected)
    assert np.array_equal(estimator.predict(X), expected)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibrated_probabilities_are_how_often_a_prediction_is_right(classes: int, plugin: str) -> None:
    X, y = data(classes)
    experiment = for_folder(Path("anywhere"), classifiers=[ONLY_PREDICTS])
    (method,) = make_methods(experiment)[1]
    parts = np.array_split(np.random.default_rng(1).permutation(300), 3)
    splits = [(np.setdiff1d(np.arange(300), part), part) for part in parts]
    fitted = estimator_factory(method, FitRules(), lambda: splits, "abc"[:classes])().fit(X, y)
    probabilities = fitted.predict_proba(X)
    predicted = fitted.predict(X)
    assert (probabilities.argmax(axis=1) == predicted).mean() > 0.99
    right = np.mean([(method.estimator.fit(X[a], y[a]).predict(X[b]) == y[b]).mean() for a, b in splits])
    assert probabilities.max(axis=1).mean() == pytest.approx(right, abs=0.05)


def test_its_code_is_in_the_identity_of_such_a_classifier_alone(plugin: str) -> None:
    experiment = for_folder(
        Path("anywhere"), classifiers=[ONLY_PREDICTS, "lda", "sklearn.linear_model.RidgeClassifier"]
    )
    methods = make_methods(experiment)[1]
    assert ["only predicts" in method.identity for method in methods] == [True, False, False]
    assert isinstance(methods[2].estimator, RidgeClassifier)  # it has decisions


def test_it_is_stored() -> None:
    X, y = data(3)
    estimator = PredictedClass(OutputCodeClassifier(LogisticRegression(), random_state=0)).fit(X, y)
    stored = from_bytes(to_bytes(estimator, "classifier"), "classifier")
    assert np.array_equal(stored.decision_function(X), estimator.decision_function(X))
