"""Refit: one combination fitted on every image, as the runner fits it on the training part of a fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .folds import Fold, InnerFolds
from .methods import FitRules, Method, estimator_factory, fit_arguments
from .task import Task, over_classes
from .tuning import InnerFeatures, choose


@dataclass(frozen=True)
class Refitted:
    """A fitted combination.

    Attributes
    ----------
    selector, classifier : scikit-learn estimators
        Fitted; the classifier on positions among the task's classes.
    tuned : dict
        Searched parameters and the values that were chosen.
    """

    selector: Any
    classifier: Any
    tuned: dict[str, Any]

    def probabilities(self, features: NDArray[Any], classes: int) -> NDArray[np.float64]:
        """Of images with these features, shape (n, classes); 0 for a class that was not trained on."""
        reduced = np.asarray(self.selector.transform(np.asarray(features, dtype=np.float64)))
        return over_classes(self.classifier.predict_proba(reduced), self.classifier.classes_, classes)


def refit(features: NDArray[Any], task: Task, selector: Method, classifier: Method, rules: FitRules) -> Refitted:
    """Fit a combination on all images of a task.

    Parameters
    ----------
    features : ndarray of float, shape (n, features)
    task : Task
        Labels and groups of the same n images.
    selector, classifier : Method
    rules : FitRules

    Raises
    ------
    ValueError
        The selector or the classifier refuses the images.
    """
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    everything = Fold(0, 0, np.arange(len(task)), np.empty(0, dtype=np.int64))
    inner = InnerFolds(task, everything, rules.seed)
    train = np.asarray(features, dtype=np.float64)
    with threadpool_limits(1):
        inner_features = InnerFeatures(train, task.labels, task.groups, task.classes)
        chosen = choose(selector, classifier, inner_features, inner, rules)
        fitted_selector = clone(chosen.selector.estimator).fit(train, task.labels)
        method = replace(classifier, estimator=chosen.classifier.estimator)
        estimator = estimator_factory(method, rules, inner, task.classes)()
        reduced = np.asarray(fitted_selector.transform(train))
        fitted = estimator.fit(reduced, task.labels, **fit_arguments(estimator, {"groups": task.groups}))
    return Refitted(fitted_selector, fitted, chosen.parameters())
