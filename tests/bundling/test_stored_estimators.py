from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import FunctionTransformer

from leukobench.bundling.stored_estimators import to_bytes
from leukobench.errors import BundleError


def test_what_is_not_on_the_list_is_refused_when_it_is_stored() -> None:
    X, y = np.random.default_rng(0).uniform(size=(40, 5)), np.arange(40) % 4
    with pytest.raises(BundleError, match="cannot be stored in a bundle"):
        to_bytes(SGDClassifier().fit(X, y), "classifier")
    with pytest.raises(BundleError, match="cannot be stored in a bundle"):
        to_bytes(FunctionTransformer(np.log1p).fit(X), "selector")
