"""Group copies: which pairs share a group, as the experiment and a person's decisions have it; contact sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..audit.clusters import clusters_of, group_pairs
from ..audit.copies import identical_files
from ..audit.decisions import with_decisions
from ..audit.sheets import draw_sheets
from ..config.experiment import Experiment
from ..images.index import ImageIndex
from ..images.keypoints import KeypointFile
from ..runs.workspace import Workspace
from .find_copies import find_copies
from .find_images import decisions_on

if TYPE_CHECKING:
    import pandas as pd

_SHEETS = 4


def group_copies(
    experiment: Experiment,
    index: ImageIndex,
    fingerprints: np.ndarray,
    keypoints: KeypointFile,
    workspace: Workspace,
) -> tuple[ImageIndex, pd.DataFrame]:
    """The index with copies in one group, and the pairs; writes the contact sheets of the worst.

    Parameters
    ----------
    experiment : Experiment
        ``images.copies`` says whether images are compared, and which pairs share a group.
    index : ImageIndex
    fingerprints : ndarray of float32, shape (len(index), 2050)
    keypoints : KeypointFile
    workspace : Workspace

    Returns
    -------
    index : ImageIndex
    pairs : DataFrame
        See `leukobench.audit.copies.find_copies` and `leukobench.audit.clusters.group_pairs`; `decision` as well.
    """
    copies = experiment.images.copies
    off = copies == "off"
    pairs = identical_files(index.images) if off else find_copies(index, fingerprints, keypoints, workspace)
    decided = decisions_on(experiment, index, strict=False)
    pairs = with_decisions(pairs, decided, index.images)
    pairs = group_pairs(pairs, index.images, grouping=copies not in ("list", "off"))
    draw_sheets(pairs, workspace.folder.path / "audit" / "sheets", _SHEETS)
    return index.with_copies(clusters_of(pairs, index.images)), pairs
