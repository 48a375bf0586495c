"""Find copies: pairs of files of one image, as a table and as contact sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..audit import copies
from ..audit.sheets import draw_sheets
from ..images.index import ImageIndex
from ..runs.progress import count_progress
from ..runs.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

COMPARING = "comparing images"
_SHEETS = 4


def find_copies(index: ImageIndex, fingerprints: np.ndarray, workspace: Workspace) -> pd.DataFrame:
    """Pairs of copies; writes the contact sheets of the worst.

    Parameters
    ----------
    index : ImageIndex
    fingerprints : ndarray of float32, shape (len(index), 768)
    workspace : Workspace

    Returns
    -------
    DataFrame
        See `leukobench.audit.copies.find_copies`.
    """
    with count_progress(workspace.progress, COMPARING) as report:
        pairs = copies.find_copies(index.images, fingerprints, report, workspace.workers)
    draw_sheets(pairs, workspace.folder.path / "audit" / "sheets", _SHEETS)
    return pairs
