"""The runner: fits what the grid asks for, inside the training part of each fold, and writes records."""

from __future__ import annotations

import contextlib
import io
import pickle
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtractionError
from .folds import InnerFolds, Split, check
from .grid import Unit
from .held import held, reduced, values_of
from .methods import Candidate, FitRules, Method, estimator_factory, fit_arguments
from .records import Record, RecordStore
from .task import Task, over_classes
from .tuning import InnerFeatures, choose
from .validation import Beside, beside_of, tuning_part, with_validation

SELECTOR = "selector"
"""Name of a unit's step that comes before those of its classifiers."""
_TOLERANCE = 1e-3
BYTES_OF_A_WEIGHT = 4
_CURVE = {"phase", "epoch", "loss", "validation_loss"}

Floats = NDArray[Any]


def run_unit(
    unit: Unit, task: Task, rules: FitRules, store: RecordStore, begin: Callable[[str], None] = lambda step: None
) -> None:
    """Fit the unit's selector once, then each of its classifiers; write a record for each.

    The steps that it begins are `SELECTOR`, and the key of each record. Where the selector is tuned, its candidates are
    fitted when they are first wanted.
    """
    from threadpoolctl import threadpool_limits

    check(task, unit.fold)
    if not unit.classifiers:
        return
    with threadpool_limits(1):
        begin(SELECTOR)
        inner = InnerFolds(task, unit.fold, rules.seed)
        try:
            features = _Features(unit, task, inner)
            if not unit.selector.axes:
                with contextlib.suppress(_SelectorFailedError):
                    features.select(0, unit.selector.candidates[0])
        except (Exception, SystemExit):
            for key, _ in unit.classifiers:
                store.write(key, Record(None, error=traceback.format_exc()), task.classes)
            return
        for key, classifier in unit.classifiers:
            begin(key)
            store.write(key, _cell(unit, classifier, features, inner, rules), task.classes)


def _cell(unit: Unit, classifier: Method, features: _Features, inner: InnerFolds, rules: FitRules) -> Record:
    """Tune what is to be tuned, then fit selector and classifier on the training part and predict the test part."""
    start = time.perf_counter()
    try:
        chosen = choose(unit.selector, classifier, features.tuned_on, rules)
        tuning_s = time.perf_counter() - start
        selected = features.select(unit.selector.candidates.index(chosen.selector), chosen.selector)
    except (Exception, SystemExit):
        return Record(None, error=traceback.format_exc())
    make = estimator_factory(replace(classifier, estimator=chosen.classifier.estimator), rules, inner, features.classes)
    record = classify(make, selected, features.labels, len(features.classes), groups=features.groups)
    messages = [*chosen.warnings, *record.warnings]
    return replace(record, fit_s=record.fit_s + tuning_s, tuned=chosen.parameters(), warnings=messages)


@dataclass
class Sides:
    """What a classifier gets of one fold, reduced features as a rule, and what selecting them cost."""

    train: Any
    test: Any
    seconds: float = 0.0
    support: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    selector_bytes: int = 0
    validation: Beside | None = None


class _Features:
    """Features of one fold, with each candidate of the selector fitted once, when it is first wanted."""

    def __init__(self, unit: Unit, task: Task, inner: InnerFolds) -> None:
        if unit.source.error:
            raise ExtractionError(unit.source.error)
        features = np.load(unit.source.matrix, mmap_mode="r")
        self._train, self._test = held(features, unit.fold.train), held(features, unit.fold.test)
        self.labels, self.classes = task.labels[unit.fold.train], task.classes
        self.groups = task.groups[unit.fold.train]
        self._beside = beside_of(task, features)
        self._task, self._rows, self._draw = task, unit.fold.train, inner
        self._tuned_on: tuple[InnerFeatures, Callable[[], list[Split]]] | None = None
        self._selected: dict[int, Sides | str] = {}

    def tuned_on(self) -> tuple[InnerFeatures, Callable[[], list[Split]]]:
        """What is tuned on: its features, shared by the classifiers, and what draws its inner folds."""
        if self._tuned_on is None:
            train = values_of(self._train)
            self._tuned_on = tuning_part(train, self._task, self._rows, self._beside, self._draw)
        return self._tuned_on

    def select(self, position: int, candidate: Candidate) -> Sides:
        """What the candidate at `position` makes of both sides.

        Raises
        ------
        _SelectorFailedError
            It failed, now or before; the message is its traceback.
        """
        if position not in self._selected:
            try:
                self._selected[position] = self._select(candidate)
            except (Exception, SystemExit):
                self._selected[position] = traceback.format_exc()
        selected = self._selected[position]
        if isinstance(selected, str):
            raise _SelectorFailedError(selected)
        return selected

    def _select(self, candidate: Candidate) -> Sides:
        from sklearn.base import clone

        start = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = values_of(self._train)
            selector = clone(candidate.estimator).fit(values, self.labels)
            train = reduced(self._train, values, selector)
            test = reduced(self._test, values_of(self._test), selector)
            beside = self._beside.through(selector) if self._beside else None
        seconds = time.perf_counter() - start
        return Sides(train, test, seconds, _support(selector), _messages(caught), _stored_bytes(selector), beside)


class _SelectorFailedError(Exception):
    """A selector failed on the training part."""


def classify(
    make: Callable[[], Any], sides: Sides, labels: NDArray[np.int64], classes: int, **arguments: Any
) -> Record:
    """Fit on the training side and predict the test side.

    Parameters
    ----------
    make : callable
        Makes the unfitted estimator.
    sides : Sides
    labels : ndarray of int
        Of the training side.
    classes : int
        Of the whole task.
    **arguments
        Further arguments of `fit`, each for estimators that take it.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            train = values_of(sides.train)
            start = time.perf_counter()
            estimator = make()
            train, labels, arguments = with_validation(estimator, train, labels, arguments, sides.validation)
            fitted = estimator.fit(train, labels, **fit_arguments(estimator, arguments))
            fit_s = time.perf_counter() - start
            del train
            test = values_of(sides.test)
            start = time.perf_counter()
            probabilities = _all_classes(fitted, test, classes)
            predict_s = time.perf_counter() - start
            network, size = _NetworkFacts.of(fitted), _stored_bytes(fitted)
        except (Exception, SystemExit):
            return Record(None, selector_s=sides.seconds, error=traceback.format_exc())
    return Record(
        probabilities,
        selector_s=sides.seconds,
        fit_s=fit_s + network.seconds_before,
        predict_s=predict_s,
        features=int(np.prod(sides.train.shape[1:])),
        support=sides.support,
        warnings=sides.warnings + _messages(caught),
        model_bytes=size + sides.selector_bytes,
        parameters=network.parameters,
        curve=network.curve,
    )


@dataclass(frozen=True)
class _NetworkFacts:
    """What a trained network says of itself; nothing where it is none, or says it in another form."""

    parameters: int = 0
    seconds_before: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, fitted: Any) -> _NetworkFacts:
        """Of the estimator itself, or of the one whose probabilities it calibrates."""
        calibrated = getattr(fitted, "calibrated_classifiers_", [])
        network = calibrated[0].estimator if len(calibrated) == 1 else fitted
        curve, weights = getattr(network, "curve_", []), getattr(network, "parameters_", 0)
        if not isinstance(weights, int) or not isinstance(curve, list):
            return cls()
        readable = all(isinstance(epoch, dict) and epoch.keys() >= _CURVE for epoch in curve)
        return cls(weights, float(getattr(network, "seconds_before_", 0.0)), curve if readable else [])


def _stored_bytes(fitted: Any) -> int:
    """How large it is when stored: four bytes a weight of a network, else what pickle makes of it."""
    if weights := _NetworkFacts.of(fitted).parameters:
        return BYTES_OF_A_WEIGHT * weights
    with contextlib.suppress(Exception):  # a plug-in need not be storable
        _SizePickler(stored := io.BytesIO()).dump(fitted)
        return stored.tell()
    return 0


class _SizePickler(pickle.Pickler):
    """Writes types of arrays and texts as a number of two bytes.

    Whether two equal ones are one object differs between processes, and with it what pickle writes for the second: all
    of it again, or a reference to the first.
    """

    def persistent_id(self, stored: Any) -> int | None:
        return 0 if isinstance(stored, str | np.dtype) else None


def _all_classes(fitted: Any, test: Floats, classes: int) -> NDArray[np.float64]:
    """Probabilities of all classes, zero for those that the training part lacks; refuse what is no probability."""
    probabilities = np.asarray(fitted.predict_proba(test), dtype=np.float64)
    present = np.asarray(fitted.classes_, dtype=int)
    if probabilities.shape != (len(test), len(present)):
        raise ValueError(f"predict_proba gave shape {probabilities.shape} instead of {(len(test), len(present))}")
    if not (finite := np.isfinite(probabilities).all(axis=1)).all():
        raise ValueError(f"predict_proba gave NaN or infinity for {int((~finite).sum())} images")
    if probabilities.min() < -_TOLERANCE or np.abs(probabilities.sum(axis=1) - 1).max() > _TOLERANCE:
        raise ValueError("predict_proba gave numbers that are no probabilities: below 0, or with another sum than 1")
    return over_classes(probabilities, present, classes)


def _support(selector: Any) -> list[int]:
    support = getattr(selector, "get_support", None)
    return [int(column) for column in np.flatnonzero(support())] if support else []


def _messages(caught: list[warnings.WarningMessage]) -> list[str]:
    return sorted({f"{warning.category.__name__}: {warning.message}".splitlines()[0] for warning in caught})
