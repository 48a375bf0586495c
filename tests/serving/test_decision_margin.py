from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from leukobench.classifiers.forest import RandomForest
from leukobench.classifiers.linear import LinearProbe, lda
from leukobench.selection.anova import ANOVA
from leukobench.selection.none import NoSelection
from leukobench.selection.pca import PCA
from leukobench.serving.decision_margin import Margin

CLASSIFIERS = {
    "logistic_regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "linear_probe": LinearProbe(),
    "lda": lda(),
    "svm_linear": CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC(kernel="linear")), ensemble=False),
    "svm_linear_primal": CalibratedClassifierCV(LinearSVC(), ensemble=False),
}


def drawn(labels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(labels)
    y = np.repeat(np.arange(labels), 30)
    return rng.normal(size=(len(y), 12)) + 2 * np.eye(12)[y], y


@pytest.mark.parametrize("selector", [NoSelection(), ANOVA(n_features=6), PCA(n_components=5, scale=True)])
@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("labels", [2, 4])
def test_linear_margins_are_weighted_sums(selector: Any, name: str, labels: int) -> None:
    X, y = drawn(labels)
    selector.fit(X, y)
    classifier = CLASSIFIERS[name].fit(selector.transform(X), y)
    margin = Margin(selector, classifier, temperature=1.7)
    against = {other: margin.linear(12, 0, other) for other in range(1, labels)}
    sums = np.min([X @ weights + offset for weights, offset in against.values()], axis=0)
    np.testing.assert_allclose(margin.of(X, 0), sums, rtol=1e-9, atol=1e-9)
    assert margin.of(X[y == 0], 0).mean() > 0 > margin.of(X[y == 1], 0).mean()


@pytest.mark.parametrize("name", ["logistic_regression", "linear_probe", "lda"])
@pytest.mark.parametrize("labels", [2, 4])
def test_margins_of_probabilistic_classifiers_are_the_shown_log_odds(name: str, labels: int) -> None:
    X, y = drawn(labels)
    selector = NoSelection().fit(X)
    classifier = CLASSIFIERS[name].fit(X, y)
    shown = np.log(classifier.predict_proba(X)) / 1.7
    expected = shown[:, 1] - np.delete(shown, 1, axis=1).max(axis=1)
    margin = Margin(selector, classifier, temperature=1.7)
    assert margin.unit == "log-odds"
    np.testing.assert_allclose(margin.of(X, 1), expected, atol=1e-6)
    order = np.where(np.arange(labels) == 1, -np.inf, shown)
    assert [margin.closest(row, 1) for row in X] == order.argmax(axis=1).tolist()


def test_the_class_that_comes_closest_shows_where_probabilities_are_too_small() -> None:
    """Far from three classes: their probabilities are 1e-30 and less, all the same once they are floored."""
    X, y = drawn(4)
    classifier = CLASSIFIERS["lda"].fit(X, y)
    margin = Margin(NoSelection().fit(X), classifier, temperature=1.5)
    for other in (1, 2, 3):
        far = 60 * np.eye(12)[0] + 4 * np.eye(12)[other]
        assert np.sort(classifier.predict_proba(far[None])[0])[-2] < 1e-12
        assert margin.closest(far, 0) == classifier.decision_function(far[None])[0, 1:].argmax() + 1


def test_margins_of_other_classifiers_follow_their_votes() -> None:
    X, y = drawn(3)
    selector = NoSelection().fit(X)
    rbf = CalibratedClassifierCV(SVC(C=10), ensemble=False).fit(X, y)
    margin = Margin(selector, rbf)
    assert margin.unit == "decision value"
    assert margin.linear(12, 0, 1) is None
    pairs = SVC(C=10, decision_function_shape="ovo").fit(X, y).decision_function(X)  # 0-1, 0-2, 1-2
    np.testing.assert_allclose(margin.of(X, 1), np.minimum(-pairs[:, 0], pairs[:, 2]), atol=1e-9)
    forest = RandomForest(50, random_state=0, engine="scikit-learn").fit(X, y)
    margins = Margin(selector, forest).of(X, 2)
    assert np.isfinite(margins).all()
    np.testing.assert_array_equal(margins > 0, forest.predict(X) == 2)
