"""Seal the holdout: whole groups are set aside before anything is fitted, and opened once by `leukobench unseal`."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np

from ..config.experiment import Experiment
from ..evaluation.folds import splits
from ..images.index import ImageIndex
from ..runs.folder import RunFolder
from .audit_index import Audited
from .leave_out_conflicts import refuse_conflicts
from .write_images import write_images

_SEALED_PARTS = 10


def seal_holdout(experiment: Experiment, audited: Audited, folder: RunFolder) -> Audited:
    """Put the sealed images aside, where the experiment seals some; writes the tables of both parts and of copies.

    Raises
    ------
    ImagesError
        Too few images or groups are left for the folds, or every image of a class has a copy under another label.
    """
    evaluation = experiment.evaluation
    refuse_conflicts(experiment, audited.index, audited.pairs)
    audited.index.check(evaluation.folds)
    audited, held = audited.split(sealed_rows(audited.index, evaluation.holdout, evaluation.seed))
    write_images(audited, folder)
    if evaluation.holdout:
        folder.write_table("sealed.parquet", held.table())
    audited.index.check(evaluation.folds)
    return audited


def sealed_rows(index: ImageIndex, part: float, seed: int) -> np.ndarray:
    """Rows of the sealed holdout, bool: a share `part` of the groups, with every class if possible."""
    rows = np.zeros(len(index), dtype=bool)
    if part:
        labels = np.unique(index.images["label"], return_inverse=True)[1].astype(np.int64)
        share = Fraction(part).limit_denominator(min(_SEALED_PARTS, len(np.unique(index.group))))
        drawn = splits(labels, index.group, max(2, share.denominator), seed)
        for _, held in islice(drawn, max(1, share.numerator)):
            rows[held] = True
    return rows
