from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

from leukobench.errors import BundleError
from leukobench.serving.estimators import from_bytes
from leukobench.serving.scikit_learn_types import SCIKIT_LEARN
from leukobench.serving.stored_estimators import to_bytes

from .scikit_learn import FAMILIES, fitted, outputs

NO_NUMBERS = "takes texts, categories, or several targets"
SPARSE = "its output is a sparse table"
NOT_STORED = {
    "Birch": "skops does not store it",
    "ClassifierChain": NO_NUMBERS,
    "ColumnTransformer": "chooses columns by name, which features do not have",
    "CountVectorizer": NO_NUMBERS,
    "DictVectorizer": NO_NUMBERS,
    "FeatureHasher": NO_NUMBERS,
    "HashingVectorizer": NO_NUMBERS,
    "KNeighborsTransformer": SPARSE,
    "MissingIndicator": "features are finite",
    "MultiLabelBinarizer": NO_NUMBERS,
    "MultiOutputClassifier": NO_NUMBERS,
    "OneHotEncoder": NO_NUMBERS,
    "OrdinalEncoder": NO_NUMBERS,
    "PatchExtractor": "takes images",
    "PolynomialCountSketch": "no array limits its memory",
    "RadiusNeighborsTransformer": SPARSE,
    "RandomTreesEmbedding": SPARSE,
    "SparseCoder": "has no fit",
    "SplineTransformer": "holds compiled splines",
    "StackingRegressor": "a regressor",
    "TSNE": "has no transform of new images",
    "TargetEncoder": NO_NUMBERS,
    "TfidfTransformer": SPARSE,
    "TfidfVectorizer": NO_NUMBERS,
    "TunedThresholdClassifierCV": "holds a scorer",
    "VotingRegressor": "a regressor",
}
ALONE = {
    "FeatureUnion": "of other transformers",
    "FixedThresholdClassifier": "of two classes",
    "IsotonicRegression": "of one feature",
    "KernelCenterer": "of a square table",
    "LabelBinarizer": "of labels",
    "LabelEncoder": "of labels",
    "SelfTrainingClassifier": "of images without label",
}
"""Stored as a part of others."""
BOTH = sorted(name for name in FAMILIES if name not in NOT_STORED and name not in ALONE)
FAST = ["MLPClassifier", "GradientBoostingClassifier", "RadiusNeighborsClassifier", "SelectKBest"]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FAST else [pytest.mark.thorough]) for name in BOTH]
)
def test_what_is_stored_says_the_same(name: str, classes: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = fitted(name, classes)
        expected = outputs(estimator)
        received = outputs(from_bytes(to_bytes(estimator, name), name))
    assert len(received) == len(expected) > 0
    for one, other in zip(received, expected, strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-9)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in NOT_STORED if name in FAMILIES])
def test_what_is_not_stored_is_refused_or_cannot_be_fitted_to_features(name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = fitted(name)
    except Exception:  # most of them refuse a table of numbers
        return
    with pytest.raises(BundleError, match="cannot be stored"):
        to_bytes(estimator, name)


def test_each_classifier_and_transformer_of_scikit_learn_is_stored_or_has_a_reason() -> None:
    listed = {name.rpartition(".")[2] for name in SCIKIT_LEARN}
    assert sorted(name for name in FAMILIES if (name in listed) == (name in NOT_STORED)) == []


def test_the_list_names_types_that_there_are() -> None:
    for dotted in SCIKIT_LEARN:
        module, _, name = dotted.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), name), type), dotted
