"""What shortcuts alone predict, fitted on all images of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evaluation.refit import Refitted, refit
from ..features.cache import FeatureCache
from ..features.simple_measurements import SimpleMeasurements
from ..runs.finished import FinishedRun
from ..runs.workspace import Workspace
from ..steps.choose_methods import fit_rules
from ..steps.score_shortcuts import MAJORITY, baselines, shows_background
from .fit_features import load_features


@dataclass(frozen=True)
class FittedShortcut:
    """A classifier that sees nothing of what is pictured.

    Attributes
    ----------
    name : str
    columns : list of str
        Of the measurements.
    fitted : Refitted
    """

    name: str
    columns: list[str]
    fitted: Refitted


def load_measurements(run: FinishedRun, workspace: Workspace) -> tuple[NDArray[np.float32], list[str]]:
    """Measurements of all images, and their names."""
    measurements = load_features("file facts and colours", "measurements", SimpleMeasurements(), run.images, workspace)
    return measurements, FeatureCache.shared(SimpleMeasurements.identity).feature_names()


def fit_shortcuts(run: FinishedRun, measurements: NDArray[np.float32], names: list[str]) -> list[FittedShortcut]:
    """The run's shortcuts, fitted on all images; the majority of the labels needs no fit."""
    fitted, rules = [], fit_rules(run.experiment)
    background = shows_background(measurements, names)
    for shortcut in baselines(run.experiment.evaluation, len(run.task), background):
        if shortcut.kind == "shortcut" and shortcut.name != MAJORITY:
            own = shortcut.columns(names)
            model = refit(measurements[:, own], run.task, shortcut.selector, shortcut.classifier, rules)
            fitted.append(FittedShortcut(shortcut.name, [names[column] for column in own], model))
    return fitted
