"""Refit: one combination fitted on every image, as the runner fits it on the training part of a fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .folds import Fold, InnerFolds
from .methods import FitRules, Method, estimator_factory, fit_arguments
from .task import Task, over_classes
from .tuning import choose
from .validation import beside_of, tuning_part, with_validation


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
        Where the task has images for validation, theirs follow.
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
    whole = np.asarray(features, dtype=np.float64)
    train, beside = whole[: len(task)], beside_of(task, whole)
    with threadpool_limits(1):
        tuned_on = partial(tuning_part, train, task, everything.train, beside, inner)
        chosen = choose(selector, classifier, tuned_on, rules)
        fitted_selector = clone(chosen.selector.estimator).fit(train, task.labels)
        method = replace(classifier, estimator=chosen.classifier.estimator)
        estimator = estimator_factory(method, rules, inner, task.classes)()
        reduced = np.asarray(fitted_selector.transform(train))
        beside = beside.through(fitted_selector) if beside else None
        inputs, labels, arguments = with_validation(estimator, reduced, task.labels, {"groups": task.groups}, beside)
        fitted = estimator.fit(inputs, labels, **fit_arguments(estimator, arguments))
    return Refitted(fitted_selector, fitted, chosen.parameters())
