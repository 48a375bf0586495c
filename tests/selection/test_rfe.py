"""The variants of RFE that refit a classifier, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.feature_selection
from sklearn.preprocessing import StandardScaler

from leukobench.selection.rfe import RFE

from .problem import problem


@pytest.mark.parametrize("estimator", ["svm", "logistic"])
def test_the_refitting_variants_are_scikit_learns(estimator: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    X, y = problem(7)
    Z = StandardScaler().fit_transform(X)
    classifier = SVC(kernel="linear") if estimator == "svm" else LogisticRegression(max_iter=1000)
    theirs = sklearn.feature_selection.RFE(classifier, n_features_to_select=6, step=2).fit(Z, y)
    ours = RFE(n_features=6, estimator=estimator, step=2).fit(X, y)
    np.testing.assert_array_equal(ours.support_, np.flatnonzero(theirs.support_))
