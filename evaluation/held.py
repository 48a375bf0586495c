"""Part of a feature matrix: held in memory where it is small, else on disk, and read when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LARGE_BYTES = 4e8
"""Of a matrix of doubles: 40,000 images with 1,280 features. Copies of a larger one are not kept."""
_BLOCK_ROWS = 4096


@dataclass(frozen=True)
class OnDisk:
    """Rows and columns of a matrix that is mapped into memory.

    Attributes
    ----------
    matrix : ndarray of float32, shape (images, features)
    rows : ndarray of int
    columns : ndarray of int, optional
        All by default.
    """

    matrix: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Of `values`."""
        return len(self.rows), self.matrix.shape[1] if self.columns is None else len(self.columns)

    def __len__(self) -> int:
        return len(self.rows)

    def values(self) -> Floats:
        """All of it, float64; nothing else of this size is in memory meanwhile."""
        values = np.empty(self.shape)
        for start in range(0, len(self), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            taken = self.matrix[self.rows[block]]
            values[block] = taken if self.columns is None else taken[:, self.columns]
        return values


def held(matrix: NDArray[np.float32], rows: NDArray[np.int64]) -> Floats | OnDisk:
    """Rows of a matrix, as doubles in memory unless they are many.

    In float64, because solvers that iterate in float32 stop where rounding leaves them: probabilities 1 % apart.
    """
    part = OnDisk(matrix, rows)
    return part if matrix.size * np.dtype(np.float64).itemsize > _LARGE_BYTES else part.values()


def values_of(part: Any) -> Any:
    """What `held` gave, in memory; anything else as it is."""
    return part.values() if isinstance(part, OnDisk) else part


def reduced(part: Floats | OnDisk, values: Floats, selector: Any) -> Floats | OnDisk:
    """What a fitted selector makes of a part with these values: columns of it stay on disk where it does.

    They are read row by row, which scikit-learn gives column by column: sums over them may differ in their last bits.
    """
    if isinstance(part, OnDisk) and hasattr(selector, "get_support"):
        return OnDisk(part.matrix, part.rows, np.flatnonzero(selector.get_support()))
    return np.asarray(selector.transform(values))
