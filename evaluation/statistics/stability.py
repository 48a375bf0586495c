"""How far a selector keeps the same features from fold to fold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np


class Stability(NamedTuple):
    """Mean size of the supports, and indices that are 1 where they are all the same.

    `kuncheva` (0: as chance would have it) is NaN where sizes differ or everything is kept; `nogueira` is its
    generalisation to sizes that differ; `jaccard` is not corrected for chance. All are NaN for fewer than two supports.
    """

    features: float
    kuncheva: float
    jaccard: float
    nogueira: float


def selection_stability(supports: Sequence[Collection[int]], features: int) -> Stability:
    """Agreement of the supports of several folds.

    Parameters
    ----------
    supports : sequence of collection of int
        Columns that are kept in each fold.
    features : int
        How many there are to choose from.

    References
    ----------
    Kuncheva: A stability index for feature selection. IASTED Artificial Intelligence and Applications 2007, 390-395.
    Nogueira, Sechidis, Brown: On the stability of feature selection algorithms. JMLR 18 (2018) 1-54, definition 4.
    """
    kept = [frozenset(support) for support in supports]
    sizes = [len(support) for support in kept]
    mean = float(np.mean(sizes)) if kept else float("nan")
    if len(kept) < 2:
        return Stability(mean, float("nan"), float("nan"), float("nan"))
    pairs = list(combinations(kept, 2))
    jaccard = float(np.mean([len(a & b) / len(a | b) if a | b else 1.0 for a, b in pairs]))
    kuncheva = float("nan")
    if len(set(sizes)) == 1 and 0 < sizes[0] < features:
        expected = sizes[0] ** 2 / features
        kuncheva = float(np.mean([(len(a & b) - expected) / (sizes[0] - expected) for a, b in pairs]))
    return Stability(mean, kuncheva, jaccard, _nogueira(kept, features))


def _nogueira(kept: Sequence[frozenset[int]], features: int) -> float:
    often = np.bincount([column for support in kept for column in support], minlength=features) / len(kept)
    share = often.mean()
    if share in (0.0, 1.0):
        return float("nan")
    variance = len(kept) / (len(kept) - 1) * (often * (1 - often)).mean()
    return float(1 - variance / (share * (1 - share)))
