from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from leukobench.errors import BundleError
from leukobench.serving.stored_estimators import to_bytes


def test_what_is_not_on_the_list_is_refused_when_it_is_stored() -> None:
    X = np.random.default_rng(0).uniform(size=(40, 5))
    with pytest.raises(BundleError, match="cannot be stored in a bundle"):
        to_bytes(OrdinalEncoder().fit(X), "selector")
    with pytest.raises(BundleError, match="cannot be stored in a bundle"):
        to_bytes(FunctionTransformer(np.log1p).fit(X), "selector")
