"""Support vector machines with their kernel handed whole: scikit-learn's own, whatever the number of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.svm import SVC

from leukobench.classifiers import svm

FEATURES = svm._MANY_FEATURES


@pytest.mark.parametrize("features", [FEATURES - 1, FEATURES])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("machine", [SVC(kernel="linear"), SVC(C=10), SVC(C=10, gamma=0.002), SVC(kernel="poly")])
def test_the_same_vectors_and_decisions_as_scikit_learn(machine: SVC, classes: int, features: int) -> None:
    rng = np.random.default_rng(features)
    labels = np.arange(120) % classes
    images = rng.normal(size=(120, features)) + 0.1 * labels[:, None]
    images, new = images[:90].astype(np.float32), images[90:]
    weights = rng.uniform(0.5, 2, 90)
    plain = clone(machine).fit(images, labels[:90], weights)
    settings: dict[str, Any] = machine.get_params()
    whole = svm.KernelMachine(**settings).fit(images, labels[:90], weights)
    assert np.array_equal(whole.support_, plain.support_)
    assert np.array_equal(whole.support_vectors_, plain.support_vectors_)
    np.testing.assert_allclose(whole.decision_function(new), plain.decision_function(new), rtol=0, atol=1e-10)
    assert np.array_equal(whole.predict(new), plain.predict(new))
    assert whole.shape_fit_ == plain.shape_fit_
    assert np.array_equal(whole.support_, clone(whole).fit(images, labels[:90], weights).support_)


def test_more_images_than_a_kernel_may_hold_are_fitted_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm, "_MOST_IMAGES", 10)
    monkeypatch.setattr(svm.KernelMachine, "_kernel", None)
    images = np.random.default_rng(0).normal(size=(20, FEATURES))
    labels = np.arange(20) % 2
    assert np.array_equal(svm.svm_rbf().fit(images, labels).support_, SVC(C=10).fit(images, labels).support_)
