"""Choose methods: make the selectors and classifiers of an experiment, checked and unfitted."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..classifiers.large_data import needs_variants, variant_of
from ..config.choice import Choice
from ..config.experiment import Experiment
from ..errors import ConfigurationError
from ..evaluation.methods import FitRules, Method, make_method, weights_by_code
from ..machine import DECIDE_NOTHING, code_digest
from ..registry import Registry
from ..selection import SELECTORS

_POINTS, _FINE_POINTS = 5, 15
_PREDICTED = "classifiers.predicted_class"


def make_methods(experiment: Experiment) -> tuple[list[Method], list[Method]]:
    """Selectors and classifiers, unfitted, with every name and parameter checked."""
    evaluation = experiment.evaluation
    weighted = evaluation.balance == "class_weight"
    selectors = [
        make_method(SELECTORS, c.name, c.fixed, c.label, evaluation.seed, axes=_axes(c, SELECTORS, evaluation.tuning))
        for c in experiment.selectors
    ]
    classifiers = [
        make_method(
            CLASSIFIERS, c.name, c.fixed, c.label, evaluation.seed, weighted, _axes(c, CLASSIFIERS, evaluation.tuning)
        )
        for c in experiment.classifiers
    ]
    return selectors, [_with_decisions(method) for method in classifiers]


def _with_decisions(method: Method) -> Method:
    """A classifier that only predicts gets decisions, which are calibrated as those of support vector machines are."""
    if any(hasattr(method.estimator, name) for name in ("predict_proba", "decision_function")):
        return method
    from ..classifiers.predicted_class import PredictedClass

    candidates = [replace(one, estimator=PredictedClass(one.estimator)) for one in method.candidates]
    identity = {**method.identity, "only predicts": code_digest(_PREDICTED, apart_from=DECIDE_NOTHING)[:16]}
    return replace(method, estimator=candidates[0].estimator, candidates=tuple(candidates), identity=identity)


def make_networks(experiment: Experiment) -> list[Method]:
    """Networks that are trained end to end, unfitted, with every name, parameter and weights file checked."""
    evaluation = experiment.evaluation
    weighted = evaluation.balance == "class_weight"
    return [make_method(CNNS, c.name, c.parameters, c.label, evaluation.seed, weighted) for c in experiment.cnns]


def check_networks(networks: list[Method], balance: str, build: bool = True) -> None:
    """Check that each network states its input size and, with `build`, that it can be built.

    Raises
    ------
    ConfigurationError, WeightsError
    """
    for method in networks:
        if not hasattr(method.estimator, "input_size"):
            raise ConfigurationError(
                f"{method.label} does not declare its input size.",
                expected="an attribute input_size = (height, width)",
                received=type(method.estimator).__name__,
            )
        if balance in ("oversample", "smote") and "oversample" not in method.estimator.get_params():
            raise ConfigurationError(
                f"{method.label} does not support oversampling.",
                expected="a parameter oversample, or another balance",
                received=f"evaluation.balance: {balance}",
                fix="choose `balance: none` or `class_weight`, or leave it out.",
            )
        if build and hasattr(method.estimator, "check"):
            method.estimator.check()


def check_classes(networks: list[Method], classes: list[str]) -> None:
    """Refuse networks for fewer classes than there are, and weights of classes that do not exist.

    Raises
    ------
    ConfigurationError
    """
    for method in networks:
        try:
            weights_by_code(copy.deepcopy(method.estimator), classes)
        except ValueError as error:
            raise ConfigurationError(f"{method.label} cannot be trained.", received=str(error)) from error
        most = getattr(method.estimator, "most_classes", len(classes))
        if len(classes) > most:
            raise ConfigurationError(
                f"{method.label} is for {most} classes.",
                expected=f"images of {most} classes",
                received=f"{len(classes)} classes: {', '.join(classes)}",
                fix="use custom_cnn, or images of two classes.",
            )


def weights_in_words(method: Method) -> str:
    """Initial weights of a network in words; random weights are called RANDOM."""
    weights = getattr(method.estimator, "weights_label", "")
    return f"{weights} weights" if weights else "trained from scratch"


def experiment_for_size(experiment: Experiment, images: int) -> tuple[Experiment, list[str]]:
    """Replace classifiers that are too slow for this number of images; return which were replaced, in words."""
    if not needs_variants(experiment.evaluation.large_data, images):
        return experiment, []
    variants = {choice.name: variant_of(choice.name) for choice in experiment.classifiers}
    chosen: dict[str, Choice] = {}
    for choice in experiment.classifiers:
        variant = choice.model_copy(update={"name": variants[choice.name]})
        chosen.setdefault(variant.label, variant)
    words = [
        f"{variant} replaces {name}, whose cost grows with the square of the number of images "
        f"({images:,}; `evaluation.large_data: exact` keeps it)"
        for name, variant in variants.items()
        if variant != name
    ]
    return experiment.model_copy(update={"classifiers": list(chosen.values())}), words


def _axes(choice: Choice, registry: Registry, tuning: str) -> dict[str, list[Any]]:
    """Parameters to be tuned and their values: those that the user names, else those that the method declares."""
    if choice.searched:
        count, defaults = _FINE_POINTS if tuning == "optuna" else _POINTS, registry.parameters(choice.name)
        return {name: search.points(count, type(defaults.get(name)) is int) for name, search in choice.searched.items()}
    space = getattr(registry.get(choice.name), "search_space", {}) if tuning != "none" else {}
    return {name: list(values) for name, values in space.items() if name not in choice.fixed}


def fit_rules(experiment: Experiment) -> FitRules:
    """Rules of every fit; ``search`` means the whole grid unless the experiment sets another way."""
    evaluation = experiment.evaluation
    named = any(choice.searched for choice in [*experiment.selectors, *experiment.classifiers])
    tuning = "grid" if named and evaluation.tuning == "none" else evaluation.tuning
    return FitRules(
        evaluation.balance, evaluation.calibration, evaluation.seed, tuning, evaluation.budget, evaluation.rank_by
    )
