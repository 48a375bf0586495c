"""Checks: what a run refuses once its images are compared and split, found before it has begun."""

from __future__ import annotations

import numpy as np

from ..config.experiment import Experiment
from ..evaluation.folds import make_folds
from ..evaluation.guards import permute_labels
from ..evaluation.site_folds import SiteFolds
from ..images.index import ImageIndex
from ..images.splits import VALIDATION
from ..steps.find_sites import check_site_column, sites_of
from ..steps.given_split import is_given, least_groups, parts_of, split_task
from ..steps.group_pseudo_patients import group_pseudo_patients
from ..steps.seal_holdout import check_seal, given_or_drawn


def check_splits(experiment: Experiment, index: ImageIndex, audited: bool) -> ImageIndex:
    """Seal and split the images as the run will; return those that are not sealed.

    Parameters
    ----------
    experiment : Experiment
    index : ImageIndex
    audited : bool
        Copies and pseudo-patients are groups of `index` already.

    Raises
    ------
    ImagesError, ConfigurationError
        As the run raises them.
    """
    evaluation, pseudo = experiment.evaluation, experiment.images.pseudo_patients
    if pseudo and not audited and (pseudo.blocks or (index.images["patient"] != "").any()):
        index = group_pseudo_patients(experiment, index, np.empty((len(index), 0)))
    index.check(least_groups(evaluation, index))
    sealed = given_or_drawn(evaluation, index)
    check_seal(evaluation, index, sealed)
    validation = parts_of(experiment, index) == VALIDATION if is_given(evaluation) else np.zeros(len(index), dtype=bool)
    index, _ = index.split(sealed | validation)
    index.check(least_groups(evaluation, index))
    task = split_task(evaluation, index)
    check_site_column(index, evaluation)
    if (sites := sites_of(index, evaluation)) is not None:
        SiteFolds.of(task, sites)
    if evaluation.permute:
        task = permute_labels(task, evaluation.seed)
    make_folds(task, evaluation.folds, evaluation.repeats, evaluation.seed, evaluation.shuffle)
    return index
