from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from leukobench.evaluation.scorer import Scorer


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 5), ties=st.booleans())
def test_metrics_equal_scikit_learns(seed: int, classes: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, 60)])
    probabilities = rng.dirichlet(np.ones(classes), len(labels))
    if ties:
        probabilities = probabilities.round(1) + 0.01
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    names = tuple(f"c{i}" for i in range(classes))
    ours = Scorer(names).score(labels, probabilities)
    theirs = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "f1_macro": metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        "f1_weighted": metrics.f1_score(labels, predicted, average="weighted", zero_division=0),
        "mcc": metrics.matthews_corrcoef(labels, predicted),
        "auroc": np.mean([metrics.roc_auc_score(labels == c, probabilities[:, c]) for c in range(classes)]),
    }
    theirs["brier"] = metrics.brier_score_loss(labels, probabilities, labels=range(classes), scale_by_half=False)
    theirs["log_loss"] = metrics.log_loss(labels, probabilities, labels=range(classes))
    theirs |= {f"sensitivity[{n}]": metrics.recall_score(labels == c, predicted == c) for c, n in enumerate(names)}
    theirs |= {f"specificity[{n}]": metrics.recall_score(labels != c, predicted != c) for c, n in enumerate(names)}
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-12)
    assert set(ours) - set(theirs) == {"ece"}


def test_an_absent_class_makes_its_metrics_undefined_not_zero() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    found = Scorer(("a", "b", "c")).score(labels, probabilities)
    assert found["accuracy"] == 0.75
    undefined = {"balanced_accuracy", "f1_macro", "auroc", "sensitivity[c]"}
    assert {name for name, value in found.items() if np.isnan(value)} == undefined
    assert found["specificity[c]"] == 0.75


def test_one_class_alone_has_no_correlation() -> None:
    found = Scorer(("a", "b")).score(np.zeros(3, int), np.array([[0.9, 0.1]] * 3))
    assert np.isnan(found["mcc"])
    assert np.isnan(found["auroc"])


def test_confusion_counts_true_by_row() -> None:
    scorer = Scorer(("a", "b"))
    tally = scorer.tally(np.array([0, 0, 1]), np.eye(2)[[0, 1, 1]], np.zeros(3, int), 1)
    assert scorer.counts(tally)[0].tolist() == [[1, 1], [0, 1]]
