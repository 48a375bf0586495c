"""Nested tuning: parameters of selector and classifier, searched on grouped inner folds, or on a validation part."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError
from .folds import Split
from .methods import Candidate, FitRules, Method, add_balancing, fit_arguments, weights_by_code
from .metric import FromAreas
from .metrics import metric_of
from .scorer import Scorer

Floats = NDArray[np.float64]
_DIGITS = 12
"""Scores that differ by less are equal: what is left of rounding must not decide."""
_ASKS = 5
"""Optuna may propose a pair again; it gets at most this many times its budget."""


@dataclass(frozen=True)
class Chosen:
    """The candidates that did best on the inner folds.

    Attributes
    ----------
    selector, classifier : Candidate
    score : float
        The run's metric over the inner folds, as on the leaderboard: pooled, but for areas under ROC curves.
    tried : int
        How many pairs of candidates were scored, or failed.
    warnings : sequence of str
        Of the fits on the inner folds, and which candidates failed.
    """

    selector: Candidate
    classifier: Candidate
    score: float
    tried: int
    warnings: Sequence[str] = ()

    def parameters(self) -> dict[str, Any]:
        """Searched parameters and the chosen values, as ``"classifier C"``."""
        return _suggestion(self.selector, self.classifier)


class InnerFeatures:
    """Selected features of the inner folds: a candidate selector is fitted once a fold, for all classifiers of a unit.

    Parameters
    ----------
    train : ndarray of float64, shape (n, features)
        The training part alone: no test image ever comes here.
    labels, groups : ndarray of int, shape (n,)
        Groups are for classifiers that split once more.
    classes : sequence of str
        Names behind the labels, for class weights.
    """

    def __init__(
        self,
        train: Floats,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64] | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        self.train, self.labels, self.groups, self.classes = train, labels, groups, classes
        self._reduced: dict[int, list[tuple[Floats, Floats]] | str] = {}
        self._widest: dict[tuple[str, int], Any] = {}

    def reduce(
        self, position: int, candidates: Sequence[Candidate], splits: Sequence[Split]
    ) -> list[tuple[Floats, Floats]]:
        """Features of both sides of each inner fold, from the selector candidate at `position`.

        Candidates that differ in the number of features alone share one fit, where the selector can tell from it.

        Raises
        ------
        ValueError
            The candidate could not be fitted.
        """
        if position not in self._reduced:
            try:
                self._reduced[position] = [self._apply(position, candidates, *split) for split in enumerate(splits)]
            except (Exception, SystemExit) as error:  # a candidate may fail in any way: it is out, the others go on
                self._reduced[position] = f"{type(error).__name__}: {error}"
        reduced = self._reduced[position]
        if isinstance(reduced, str):
            raise ValueError(reduced)  # noqa: TRY004
        return reduced

    def _apply(
        self, position: int, candidates: Sequence[Candidate], number: int, split: Split
    ) -> tuple[Floats, Floats]:
        from sklearn.base import clone

        train, test = split
        wanted, fitted = candidates[position].estimator, None
        if hasattr(wanted, "keeping"):
            alike = [c.estimator for c in candidates if _but_number(c.estimator) == _but_number(wanted)]
            widest = max(alike, key=lambda estimator: estimator.n_features)
            place = _but_number(wanted), number
            if place not in self._widest:
                self._widest[place] = clone(widest).fit(self.train[train], self.labels[train])
            fitted = self._widest[place]
            fitted = fitted if wanted is widest else fitted.keeping(wanted.n_features)
        if fitted is None:
            fitted = clone(wanted).fit(self.train[train], self.labels[train])
        return np.asarray(fitted.transform(self.train[train])), np.asarray(fitted.transform(self.train[test]))


def _but_number(estimator: Any) -> str:
    """What decides a ranking, whatever the number of features that are kept."""
    return repr({key: value for key, value in estimator.get_params().items() if key != "n_features"})


def choose(
    selector: Method,
    classifier: Method,
    tuned_on: Callable[[], tuple[InnerFeatures, Callable[[], list[Split]]]],
    rules: FitRules,
) -> Chosen:
    """The only candidates where nothing is searched, else those that `tune` finds on what `tuned_on` gives."""
    if selector.axes or classifier.axes:
        return tune(selector, classifier, *tuned_on(), rules)
    return Chosen(selector.candidates[0], classifier.candidates[0], float("nan"), 0)


def tune(
    selector: Method, classifier: Method, features: InnerFeatures, inner: Callable[[], list[Split]], rules: FitRules
) -> Chosen:
    """Search the candidates of a selector and a classifier together.

    Parameters
    ----------
    selector, classifier : Method
        With their candidates.
    features : InnerFeatures
        Of the training part; shared by the classifiers of a unit.
    inner : callable
        Gives the inner folds.
    rules : FitRules
        `tuning` is ``"grid"`` (every pair) or ``"optuna"`` (at most `budget` pairs, by a tree-structured Parzen
        estimator); `metric` decides; the first of equals wins, so the defaults, which come first.

    Raises
    ------
    ValueError
        Every candidate failed.
    EngineError
        Optuna is not installed.
    """
    splits = inner()
    pairs = list(product(range(len(selector.candidates)), range(len(classifier.candidates))))
    scores: dict[tuple[int, int], float] = {}
    reasons: list[str] = []

    def value(pair: tuple[int, int]) -> float:
        if pair not in scores:
            try:
                reduced = features.reduce(pair[0], selector.candidates, splits)
                estimator = classifier.candidates[pair[1]].estimator
                scores[pair] = round(_pooled_metric(estimator, reduced, features, splits, rules), _DIGITS)
            except (Exception, SystemExit) as error:
                scores[pair] = float("nan")
                reasons.append(f"{type(error).__name__}: {error}")
        return scores[pair]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for pair in _order(pairs, selector, classifier, rules, value):
            value(pair)
    scored = {pair: scores[pair] for pair in pairs if pair in scores and not np.isnan(scores[pair])}
    if not scored:
        raise ValueError(f"No candidate could be scored on the inner folds. First reason: {(reasons or ['none'])[0]}")
    best = max(scored, key=lambda pair: (scored[pair], -pairs.index(pair)))
    messages = (
        [f"Tuning: {len(reasons)} of {len(scores)} candidates failed. First reason: {reasons[0]}"] if reasons else []
    )
    messages += sorted({f"Tuning: {one.category.__name__}: {one.message}".splitlines()[0] for one in caught})
    return Chosen(selector.candidates[best[0]], classifier.candidates[best[1]], scored[best], len(scores), messages)


def _pooled_metric(
    estimator: Any,
    reduced: Sequence[tuple[Floats, Floats]],
    features: InnerFeatures,
    splits: Sequence[Split],
    rules: FitRules,
) -> float:
    """The metric of one candidate over all inner out-of-fold predictions."""
    from sklearn.base import clone

    labels, metric = features.labels, metric_of(rules.metric)
    classes, codes = np.unique(labels, return_inverse=True)
    answers, folds = np.zeros((len(labels), len(classes))), np.zeros(len(labels), dtype=np.int64)
    ranks = isinstance(metric.source, FromAreas)
    for number, ((train, test), (train_rows, test_rows)) in enumerate(zip(reduced, splits, strict=True)):
        candidate = add_balancing(weights_by_code(clone(estimator), features.classes), rules)
        groups = {} if features.groups is None else {"groups": features.groups[train_rows]}
        fitted = candidate.fit(train, labels[train_rows], **fit_arguments(candidate, groups))
        answers[test_rows], folds[test_rows] = _answers(fitted, test, classes, ranks), number
    if not np.isfinite(answers).all():
        raise ValueError("the probabilities hold NaN or infinity")
    tested = np.unique(np.concatenate([rows for _, rows in splits]))  # a validation part is not all
    groups_of = features.groups if features.groups is None else features.groups[tested]
    codes, answers, folds = codes[tested], answers[tested], folds[tested]
    if metric.of_patients and groups_of is not None:
        codes, answers, folds = _of_groups(groups_of, codes, answers, folds)
    names = [str(label) for label in classes]
    return Scorer(names, [metric]).score(codes, answers, folds)[rules.metric]


def _of_groups(
    groups: NDArray[np.int64], labels: NDArray[np.int64], answers: Floats, folds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Label, mean answers and fold of each group whose images have one label: groups are patients."""
    _, first, members, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    means = np.column_stack([np.bincount(members, column) for column in answers.T]) / sizes[:, None]
    pure = np.bincount(members, labels == labels[first][members]) == sizes
    return labels[first][pure], means[pure], folds[first][pure]


def _answers(fitted: Any, test: Floats, classes: NDArray[Any], ranks: bool) -> Floats:
    """A number a class: probabilities, or else decision values, the predicted class the highest unless order `ranks`.

    Areas under ROC curves compare the images by the numbers of one class: those of different predictions, too.
    """
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(test))
    chosen = (fitted.predict(test)[:, None] == classes).astype(float)
    if not hasattr(fitted, "decision_function"):
        return chosen
    decision = np.asarray(fitted.decision_function(test))
    decision = np.column_stack([-decision, decision]) if decision.ndim == 1 else decision
    if decision.shape != chosen.shape:
        return chosen
    return decision if ranks else np.arctan(decision) / np.pi + 2 * chosen


def _order(
    pairs: list[tuple[int, int]],
    selector: Method,
    classifier: Method,
    rules: FitRules,
    value: Callable[[tuple[int, int]], float],
) -> Iterator[tuple[int, int]]:
    """Which pairs to score: all of them, or those that Optuna asks for."""
    if rules.tuning != "optuna" or len(pairs) <= rules.budget:
        yield from pairs
        return
    try:
        import optuna
    except ImportError as error:
        raise EngineError(
            "Optuna is not installed.",
            expected="the package optuna for `tuning: optuna`",
            received="no module of that name",
            fix="pip install 'leukobench[tuning]', or take `tuning: grid`.",
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=rules.seed))
    study.enqueue_trial(_suggestion(selector.candidates[0], classifier.candidates[0]))
    seen: set[tuple[int, int]] = set()
    for _ in range(_ASKS * rules.budget):
        trial = study.ask()
        pair = _position(trial, selector, "selector"), _position(trial, classifier, "classifier")
        seen.add(pair)
        yield pair
        outcome = value(pair)
        study.tell(trial, None if np.isnan(outcome) else outcome, state=_state(optuna, outcome))
        if len(seen) == rules.budget:
            return


def _state(optuna: Any, outcome: float) -> Any:
    return optuna.trial.TrialState.FAIL if np.isnan(outcome) else optuna.trial.TrialState.COMPLETE


def _suggestion(selector: Candidate, classifier: Candidate) -> dict[str, Any]:
    named = {"selector": selector, "classifier": classifier}
    return {f"{side} {key}": value for side, one in named.items() for key, value in one.parameters.items()}


def _position(trial: Any, method: Method, side: str) -> int:
    """Position of the candidate that a trial asks for."""
    suggested = {key: trial.suggest_categorical(f"{side} {key}", values) for key, values in method.axes.items()}
    return next(i for i, candidate in enumerate(method.candidates) if dict(candidate.parameters) == suggested)
