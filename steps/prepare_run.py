"""Prepare the run: check everything that can be checked before any work, and find the images."""

from __future__ import annotations

import logging
import platform
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import __version__
from ..config.experiment import Evaluation, Experiment
from ..errors import ConfigurationError
from ..evaluation.identity import installed_versions, runner_software
from ..evaluation.methods import FitRules, Method
from ..evaluation.metrics import METRICS, metric_of
from ..features.embedding_table import EmbeddingTable
from ..features.extractor import Extractor
from ..features.extractors import make_extractor
from ..images.index import ImageIndex
from ..reporting.protocol import groups
from ..reporting.report.sections import SECTIONS
from ..runs.identity import run_digest
from ..runs.workspace import Workspace
from ..storage import digest
from .check_bundles import bundle_lines
from .check_names import check_names
from .choose_methods import (
    check_classes,
    check_networks,
    experiment_for_size,
    fit_rules,
    make_methods,
    make_networks,
)
from .find_images import decisions_on, find_images
from .find_sites import check_site_column, sites_of
from .given_split import ignored_line, least_groups, split_digest, with_given_folds
from .probe_methods import probe_methods
from .score_controls import control_extractors

_log = logging.getLogger(__name__)
_ENGINES = ("openvino", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch")


@dataclass(frozen=True)
class PreparedRun:
    """Everything about a run that is known before anything is computed.

    Attributes
    ----------
    experiment : Experiment
        The experiment, with classifiers suited to the number of images.
    notes : list of str
        Which classifiers were replaced, and by what.
    extractors : dict of str to Extractor
        By their labels.
    networks : list of Method
        That are trained end to end.
    index : ImageIndex
    controls : dict of str to Extractor
        Of the controls that do not depend on the best combination.
    """

    experiment: Experiment
    notes: list[str]
    extractors: dict[str, Extractor]
    networks: list[Method]
    index: ImageIndex
    controls: dict[str, Extractor]

    @cached_property
    def state(self) -> str:
        """Digest of everything that decides the results."""
        identities = [extractor.identity for extractor in [*self.extractors.values(), *self.controls.values()]]
        evaluation, index = self.experiment.evaluation, self.index
        images, decisions = split_digest(evaluation, index), decisions_on(self.experiment, index)
        if (sites := sites_of(index, evaluation)) is not None:
            images = digest([images, sites])
        return run_digest(self.experiment, identities, self.networks, images, (METRICS, SECTIONS), decisions)

    @cached_property
    def methods(self) -> tuple[list[Method], list[Method]]:
        """Selectors and classifiers, unfitted."""
        return make_methods(self.experiment)

    @cached_property
    def rules(self) -> FitRules:
        """How every fit is done."""
        return fit_rules(self.experiment)

    def resolved(self) -> dict[str, Any]:
        """Identities and versions that ``experiment.yaml`` keeps beside the experiment."""
        machine = {"leukobench": __version__, "python": platform.python_version(), "machine": platform.machine()}
        machine |= installed_versions(_ENGINES)
        identities = {label: dict(extractor.identity) for label, extractor in self.extractors.items()}
        return {"extractors": identities, "images": self.index.digest(), "software": machine | runner_software()}


def check_patients(evaluation: Evaluation, index: ImageIndex) -> None:
    """Refuse to rank by a metric of patients where some are unknown, or a class has none that can be scored.

    Raises
    ------
    ConfigurationError
    """
    if not metric_of(evaluation.rank_by).of_patients:
        return
    source, labels = groups(index), index.images.groupby("patient")["label"].agg(["nunique", "first"])
    lacking = sorted(set(index.classes()) - set(labels.loc[labels["nunique"] == 1, "first"]))
    if source.kind != "patients" or lacking:
        none = f"no patient has images of {lacking[0]} alone" if lacking else ""
        raise ConfigurationError(
            f"Combinations cannot be ranked by {metric_of(evaluation.rank_by).title}.",
            expected="a patient for every image, and in each class patients whose images all have its label",
            received=none if source.kind == "patients" else source.words,
            fix="name the patients with --group (images.group), or rank by a metric of images.",
        )


def prepare_run(experiment: Experiment, workspace: Workspace) -> PreparedRun:
    """Check everything that can be checked, and find the images.

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError
    """
    was_finished = workspace.folder.was_finished()
    if not was_finished:  # mistakes stop now; what was finished once had none, and reruns without scikit-learn
        check_names(experiment)
    extractors = {choice.label: make_extractor(choice.name, choice.parameters) for choice in experiment.extractors}
    networks = make_networks(experiment)
    check_networks(networks, experiment.evaluation.balance, build=not was_finished)
    if not was_finished:
        methods = make_methods(experiment)
        probe_methods(experiment, methods, workspace)
        for line in bundle_lines(experiment, extractors, methods):
            _log.warning("%s.", line)
    index = find_images(experiment, workspace)
    for extractor in extractors.values():
        if isinstance(extractor, EmbeddingTable):
            extractor.match(index.files())
    experiment = with_given_folds(experiment, index)
    index.check(least_groups(experiment.evaluation, index))
    if ignored := ignored_line(experiment.evaluation, index):
        _log.warning("%s.", ignored)
    check_patients(experiment.evaluation, index)
    check_site_column(index, experiment.evaluation)
    check_classes(networks, index.classes())
    experiment, notes = experiment_for_size(experiment, len(index))
    for note in notes:
        _log.warning("%s.", note)
    return PreparedRun(experiment, notes, extractors, networks, index, control_extractors(experiment.evaluation))
