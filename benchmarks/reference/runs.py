"""The reference experiments: what is run, under which name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .pictures import picture_leakage, picture_run
from .published import publish, publish_leakage, publish_permuted
from .sets import NETWORKS, SETS

if TYPE_CHECKING:
    from leukobench.config.experiment import Experiment

GRID: dict[str, Any] = {
    "extractors": [
        choice
        for network in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
        for choice in (network, {network: {"pooling": "multilevel"}})
    ],
    "classifiers": [
        *("svm_linear", "svm_rbf", "random_forest", "xgboost", "naive_bayes", "knn", "logistic_regression", "lda"),
        "linear_probe",
    ],
}
"""Every network whose weights are installed, every selector (those of the default grid), and every classifier but the
variants for large data and `dense_head`, which is among the networks."""
QUICK: dict[str, Any] = {
    "extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}],
    "selectors": ["none", "anova", "pca"],
    "classifiers": ["lda", "naive_bayes", "knn"],
}
"""Combinations whose labels are permuted: those of the whole grid would take days."""


@dataclass(frozen=True)
class Place:
    """Where images lie, runs go, and results are published.

    Attributes
    ----------
    data : Path
        Folder of all sets.
    results : Path
        Folder of the runs, which resume.
    reference : Path
        Folder of what is published.
    """

    data: Path
    results: Path
    reference: Path

    def experiment(self, name: str, kind: str = "", **settings: Any) -> Experiment:
        """The experiment of a set of images; `kind` ends its name."""
        from leukobench.config.experiment_file import for_folder

        common = {"name": f"{name}{kind}", "results": self.results, "images": dict(SETS[name].images)}
        return for_folder(self.data / SETS[name].folder, **(common | settings))


def _run(experiment: Experiment) -> Path:
    from leukobench.pipeline import run
    from leukobench.runs.progress import on_screen

    return run(experiment, progress=on_screen()).folder


def grid(place: Place, name: str) -> None:
    """Every combination, with views, controls and shortcuts."""
    folder = _run(place.experiment(name, **GRID))
    publish(folder, place.reference / name, SETS[name].folder)
    picture_run(folder, name)


def permuted(place: Place, name: str) -> None:
    """A few combinations with shuffled labels."""
    experiment = place.experiment(name, "-quick", **QUICK).with_permuted_labels()
    publish_permuted(_run(experiment), place.reference / name)


def leakage(place: Place, name: str) -> None:
    """How much each leak adds."""
    from leukobench.runs.progress import on_screen
    from leukobench.studies.leakage import CHOSEN, measure_leakage

    outcome = measure_leakage(place.experiment(name, **CHOSEN), progress=on_screen())
    publish_leakage(outcome, place.reference / name)
    picture_leakage(outcome.folder, name)


def networks(place: Place, name: str) -> None:
    """Networks trained end to end beside frozen features: an hour on the ALL images."""
    folder = _run(place.experiment(name, NETWORKS, preset="cnns"))
    publish(folder, place.reference / f"{name}{NETWORKS}", SETS[name].folder)


KINDS: dict[str, Callable[[Place, str], None]] = {
    "grid": grid,
    "permuted": permuted,
    "leakage": leakage,
    "networks": networks,
}
