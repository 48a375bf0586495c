"""The robustness index: whether neighbours among features are of one class, or of one site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..metric import Floats, Integers
from .resampling import GroupResamples

FEWEST, _MOST = 5, 100
"""Images of a class at a site: with fewer, a pair is left out; of more, so many are drawn."""
NEIGHBOURS = (5, 11, 21)
_MOST_PAIRS = 200


@dataclass(frozen=True)
class Robustness:
    """The robustness index of one extractor.

    Attributes
    ----------
    value, low, high : float
        From 0 (neighbours are of the same site) to 1 (of the same class), with a 95 % interval over groups.
    neighbours : int
        How many of each image.
    pairs : int
        Of two classes at two sites, over which neighbours were counted.
    """

    value: float
    low: float
    high: float
    neighbours: int
    pairs: int


def robustness_index(
    features: Floats, labels: Integers, sites: Integers, groups: Integers, resamples: int = 1000, seed: int = 0
) -> Robustness | None:
    """Of the neighbours with the class or the site alone in common, the share that has the class.

    Two classes at two sites at a time, with as many images of each class at each site: so features that know neither
    give 0.5. Neighbours are nearest by the cosine, and of other groups. Of `NEIGHBOURS`, that number is taken with
    which neighbours tell the class best (balanced accuracy).

    Parameters
    ----------
    features : ndarray, shape (n, d)
    labels, sites, groups : ndarray of int64, shape (n,)
    resamples, seed : int

    Returns
    -------
    Robustness or None
        None where no two sites have two classes in common with `FEWEST` images each.

    References
    ----------
    Kömen, de Jong, Hense et al.: Towards robust foundation models for digital pathology (PathoROB). Nature
    Communications 17 (2026), arXiv:2507.17845.
    """
    counted = [
        _count(features[rows], labels[rows], sites[rows], groups[rows], rows) for rows in pairs(labels, sites, seed)
    ]
    if not counted:
        return None
    accuracies = np.array([one.accuracies for one in counted]).mean(axis=0)
    best = int(np.argmax(accuracies))
    rows = np.concatenate([one.rows for one in counted])
    same_class, same_site = (
        np.concatenate([side[best] for side in sides])
        for sides in zip(*((one.same_class, one.same_site) for one in counted), strict=True)
    )
    drawn = GroupResamples(groups[rows], resamples, seed)
    sums = [np.bincount(drawn.codes, weights, drawn.count) for weights in (same_class, same_site)]
    both = [np.concatenate([weights.T @ one for weights, _ in drawn.chunks()]) for one in sums]
    with np.errstate(invalid="ignore"):
        shares = both[0] / (both[0] + both[1])
    total = float(same_class.sum() + same_site.sum())
    value = float(same_class.sum()) / total if total else 0.5
    low, high = np.nanquantile(shares, [0.025, 0.975]) if np.isfinite(shares).any() else (np.nan, np.nan)
    return Robustness(value, float(low), float(high), NEIGHBOURS[best], len(counted))


def pairs(labels: Integers, sites: Integers, seed: int) -> list[Integers]:
    """Rows of each two classes at two sites: as many images of each class at each site."""
    cells = {
        (label, site): np.flatnonzero((labels == label) & (sites == site))
        for label in np.unique(labels).tolist()
        for site in np.unique(sites).tolist()
    }
    fitting = list(_fitting(cells, np.unique(labels).tolist(), np.unique(sites).tolist()))
    rng = np.random.default_rng(seed)
    if len(fitting) > _MOST_PAIRS:
        fitting = [fitting[place] for place in sorted(rng.choice(len(fitting), _MOST_PAIRS, replace=False))]
    drawn = []
    for four in fitting:
        size = min(_MOST, *(len(cells[cell]) for cell in four))
        drawn.append(np.sort(np.concatenate([rng.choice(cells[cell], size, replace=False) for cell in four])))
    return drawn


_Cell = tuple[int, int]


def _fitting(
    cells: dict[_Cell, Integers], labels: Sequence[int], sites: Sequence[int]
) -> Iterator[tuple[_Cell, _Cell, _Cell, _Cell]]:
    for one, other in combinations(labels, 2):
        for here, there in combinations(sites, 2):
            four = (one, here), (one, there), (other, here), (other, there)
            if all(len(cells[cell]) >= FEWEST for cell in four):
                yield four


@dataclass(frozen=True)
class _Counted:
    """Of each image of a pair, for each number of neighbours: those of its class alone, and those of its site alone.

    And how well neighbours give the class, for each number of them.
    """

    rows: Integers
    accuracies: Floats
    same_class: Floats
    same_site: Floats


def _count(features: Floats, labels: Integers, sites: Integers, groups: Integers, rows: Integers) -> _Counted:
    vectors = np.asarray(features, dtype=np.float64)
    vectors = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)
    likeness = vectors @ vectors.T
    likeness[groups[:, None] == groups[None, :]] = -np.inf
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, : max(NEIGHBOURS)]
    usable = np.isfinite(np.take_along_axis(likeness, nearest, axis=1))
    same_label, same_site = labels[nearest] == labels[:, None], sites[nearest] == sites[:, None]
    by_class = np.cumsum(usable & same_label & ~same_site, axis=1)
    by_site = np.cumsum(usable & ~same_label & same_site, axis=1)
    places = [min(count, nearest.shape[1]) - 1 for count in NEIGHBOURS]
    votes = np.cumsum(usable & same_label, axis=1)[:, places], np.cumsum(usable & ~same_label, axis=1)[:, places]
    right = np.where(votes[0] == votes[1], labels[:, None] == labels.min(), votes[0] > votes[1])
    accuracies = np.mean([right[labels == label].mean(axis=0) for label in np.unique(labels)], axis=0)
    return _Counted(rows, accuracies, by_class[:, places].T.astype(float), by_site[:, places].T.astype(float))
