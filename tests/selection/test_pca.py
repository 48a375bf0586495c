"""PCA against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import decomposition

from leukobench.selection.pca import PCA

from .problem import problem


@pytest.mark.parametrize(("images", "features"), [(90, 24), (20, 60)])
@pytest.mark.parametrize("wanted", [0.9, 5])
def test_pca_is_scikit_learns(images: int, features: int, wanted: float) -> None:
    X, y = problem(1, images, features)
    theirs = decomposition.PCA(wanted, svd_solver="full").fit(X)
    ours = PCA(n_components=wanted).fit(X, y)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(X)), atol=1e-8)
