"""Linear discriminant analysis by the method of Cholesky: scikit-learn's own, with any covariance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from leukobench.classifiers.linear import lda


@pytest.mark.parametrize("dependent", [False, True])
@pytest.mark.parametrize("shrinkage", ["auto", 0.1, None])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_same_weights_as_scikit_learn(classes: int, shrinkage: float | str | None, dependent: bool) -> None:
    rng = np.random.default_rng(classes)
    labels = np.arange(100) % classes
    images = (rng.normal(size=(100, 30)) + 0.4 * labels[:, None] * (np.arange(30) < 5)).astype(np.float32)
    if dependent:
        images = np.hstack([images, images[:, :10], np.zeros((100, 2), np.float32)])
    plain = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(images, labels)
    own = lda(shrinkage=shrinkage).fit(images, labels)
    np.testing.assert_allclose(own.coef_, plain.coef_, rtol=0, atol=1e-4 * np.abs(plain.coef_).max())
    np.testing.assert_allclose(own.predict_proba(images), plain.predict_proba(images), rtol=0, atol=1e-5)
