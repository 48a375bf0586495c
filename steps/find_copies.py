"""Find copies: pairs of files of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..audit import copies
from ..images.index import ImageIndex
from ..images.keypoints import KeypointFile
from ..runs.progress import count_progress
from ..runs.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

COMPARING = "comparing images"


def find_copies(
    index: ImageIndex, fingerprints: np.ndarray, keypoints: KeypointFile, workspace: Workspace
) -> pd.DataFrame:
    """Pairs of copies.

    Parameters
    ----------
    index : ImageIndex
    fingerprints : ndarray of float32, shape (len(index), 2050)
    keypoints : KeypointFile
    workspace : Workspace

    Returns
    -------
    DataFrame
        See `leukobench.audit.copies.find_copies`.
    """
    with count_progress(workspace.progress, COMPARING) as report:
        return copies.find_copies(index.images, fingerprints, keypoints, report, workspace.executor)
