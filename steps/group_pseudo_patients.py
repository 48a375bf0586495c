"""Group pseudo-patients: a stress test where no patient is known."""

from __future__ import annotations

import numpy as np

from ..config.experiment import Experiment
from ..errors import ConfigurationError
from ..images.index import ImageIndex
from ..images.pseudo_patients import blocks, stain_clusters

_MOST_GROUPS = 0.8
"""Groups per image above which the pseudo-patients are mostly single images."""


def group_pseudo_patients(experiment: Experiment, index: ImageIndex, colours: np.ndarray) -> ImageIndex:
    """Return the index with the groups that ``images.pseudo_patients`` describes; unchanged without that key.

    Raises
    ------
    ConfigurationError
        Patients are known, or the groups would be single images.
    """
    pseudo = experiment.images.pseudo_patients
    if pseudo is None:
        return index
    if (with_patient := int((index.images["patient"] != "").sum())) > 0:
        raise ConfigurationError(
            "Pseudo-patients would put real patients on both sides of a split.",
            expected="images without known patients",
            received=f"{with_patient:,} of {len(index):,} images have a patient ({index.patients})",
            fix="remove images.pseudo_patients.",
        )
    if pseudo.blocks:
        words = f"blocks of {pseudo.blocks} consecutive file numbers"
        grouped = index.with_pseudo_patients(blocks(index.images, pseudo.blocks), words)
    else:
        words = f"{pseudo.stain} clusters of stain a class"
        grouped = index.with_pseudo_patients(stain_clusters(index.images, colours, pseudo.stain or 0), words)
    if (count := len(np.unique(grouped.group))) > _MOST_GROUPS * len(np.unique(index.group)):
        raise ConfigurationError(
            "Pseudo-patients of a single image each test nothing.",
            expected=f"{words} that hold several images each",
            received=f"{count:,} groups of {len(index):,} images",
            fix="use larger blocks (file names need numbers), or fewer clusters.",
        )
    return grouped
