"""Score shortcuts: baselines that ignore the cells, on the same folds as everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..classifiers import CLASSIFIERS
from ..classifiers.large_data import needs_variants, variant_of
from ..config.choice import Choice
from ..config.experiment import Evaluation
from ..evaluation.grid import Combination, FeatureSource
from ..evaluation.methods import Method, make_method
from ..features.simple_measurements import SimpleMeasurements, columns
from ..runs.folder import RunFolder
from ..selection import SELECTORS
from ..storage import digest
from .audit_index import Audited

MAJORITY = "majority class"
_SHORTCUTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (MAJORITY, "colour", "sklearn.dummy.DummyClassifier", {}),
    ("file facts", "file", "svm_rbf", {"scale": True}),
    ("colour", "colour", "svm_rbf", {"scale": True}),
    ("border", "border", "svm_rbf", {"scale": True}),
)
"""Name, columns of the measurements, classifier and its parameters."""
_AS_IT_IS = "sklearn.preprocessing.FunctionTransformer"
"""Selector of the shortcuts: facts that are equal for all files predict nothing, which is a result, not an error."""


@dataclass(frozen=True)
class Shortcut:
    """A baseline that ignores the cells.

    Attributes
    ----------
    name : str
    prefix : str
        How the names of its columns of the measurements begin.
    selector, classifier : Method
    """

    name: str
    prefix: str
    selector: Method
    classifier: Method


def shortcut_baselines(audited: Audited, folder: RunFolder, evaluation: Evaluation) -> list[Combination]:
    """The majority class, and file facts, colours or border alone, as rows of the leaderboard."""
    identity = digest(dict(SimpleMeasurements.identity))
    baselines = []
    for shortcut in shortcuts(evaluation, len(audited.index)):
        target = folder.matrix(f"shortcut-{shortcut.name.replace(' ', '-')}")
        np.save(target, audited.measurements[:, columns(audited.names, shortcut.prefix)])
        source = FeatureSource(f"shortcut: {shortcut.name}", target, digest([identity, shortcut.prefix]))
        baselines.append(Combination(source, shortcut.selector, shortcut.classifier, "shortcut"))
    return baselines


def shortcuts(evaluation: Evaluation, images: int) -> Iterator[Shortcut]:
    """Every shortcut, with classifiers suited to the number of images."""
    seed, weighted = evaluation.seed, evaluation.balance == "class_weight"
    selector = make_method(SELECTORS, _AS_IT_IS, {}, "none", seed)
    large = needs_variants(evaluation.large_data, images)
    for name, prefix, usual, parameters in _SHORTCUTS:
        classifier = variant_of(usual) if large else usual
        shipped = CLASSIFIERS.ships(classifier)
        label = Choice(name=classifier, parameters=parameters).label if shipped else name
        method = make_method(CLASSIFIERS, classifier, parameters, label, seed, weighted and shipped)
        yield Shortcut(name, prefix, selector, method)
