"""Bootstrap over groups: how often each group is drawn in each resample, the same for every combination."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_KEPT, _CHUNK = 2**22, 2**20


class GroupResamples:
    """Draws of as many groups as there are, with replacement.

    Groups are drawn, not images, because images of one patient (or copies of one image) are no independent evidence.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
    resamples : int
    seed : int

    Attributes
    ----------
    codes : ndarray of int64, shape (n,)
        Position of each image's group among the sorted groups.
    count : int
        Number of groups.
    resamples : int
    extra : ndarray of float64, shape (resamples,)
        How often one more group would be drawn in each.

    References
    ----------
    Field, Welsh: Bootstrapping clustered data. Journal of the Royal Statistical Society B 69 (2007) 369-390.
    """

    def __init__(self, groups: NDArray[np.integer], resamples: int, seed: int) -> None:
        distinct, codes = np.unique(groups, return_inverse=True)
        self.codes: Integers = codes.astype(np.int64)
        self.count, self.resamples = len(distinct), resamples
        rng = np.random.default_rng(seed)
        # among more than 255 groups, one is drawn more than 255 times with a probability below 1e-500
        self._drawn = np.empty((resamples, self.count), dtype=np.uint8)
        for row in self._drawn:
            row[:] = np.bincount(rng.integers(self.count, size=self.count), minlength=self.count)
        self.extra: Floats = rng.poisson(1.0, resamples).astype(np.float64)
        self._all = [self._dense(0, resamples)] if self.count * resamples <= _KEPT else []

    def chunks(self) -> Iterator[tuple[Floats, Floats]]:
        """Weights of the groups in some resamples, and 1 where a group was not drawn; both of shape (groups, some)."""
        if self._all:
            yield from self._all
            return
        step = max(1, _CHUNK // self.count)
        for start in range(0, self.resamples, step):
            yield self._dense(start, start + step)

    def _dense(self, start: int, stop: int) -> tuple[Floats, Floats]:
        drawn = np.ascontiguousarray(self._drawn[start:stop].T)
        return drawn.astype(np.float64), (drawn == 0).astype(np.float64)
