"""What file facts, colours and the border alone predict, fitted on all images of a run."""

from __future__ import annotations

from dataclasses import dataclass

from ..evaluation.refit import Refitted, refit
from ..features.cache import FeatureCache
from ..features.simple_measurements import SimpleMeasurements, columns
from ..runs.finished import FinishedRun
from ..runs.workspace import Workspace
from ..steps.choose_methods import fit_rules
from ..steps.score_shortcuts import MAJORITY, shortcuts
from .fit_features import load_features


@dataclass(frozen=True)
class FittedShortcut:
    """A classifier that sees no cell.

    Attributes
    ----------
    name : str
    prefix : str
        How the names of its columns of the measurements begin.
    columns : list of str
    fitted : Refitted
    """

    name: str
    prefix: str
    columns: list[str]
    fitted: Refitted


def fit_shortcuts(run: FinishedRun, workspace: Workspace) -> list[FittedShortcut]:
    """The run's shortcuts, fitted on all images; the majority of the labels needs no fit."""
    measurements = load_features("file facts and colours", "measurements", SimpleMeasurements(), run.images, workspace)
    names, rules = FeatureCache.shared(SimpleMeasurements.identity).feature_names(), fit_rules(run.experiment)
    fitted = []
    for shortcut in shortcuts(run.experiment.evaluation, len(run.task)):
        if shortcut.name != MAJORITY:
            own = columns(names, shortcut.prefix)
            model = refit(measurements[:, own], run.task, shortcut.selector, shortcut.classifier, rules)
            fitted.append(FittedShortcut(shortcut.name, shortcut.prefix, [names[column] for column in own], model))
    return fitted
