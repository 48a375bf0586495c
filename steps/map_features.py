"""Map the features of the best combination's extractor: two principal components of a sample of the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..runs.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

TABLE = "feature_map.parquet"
_SAMPLE, _SEED = 2000, 0
"""Images at most, and what draws them: a picture that is the same after every run."""


def write_feature_map(features: NDArray[np.float32], folder: RunFolder) -> None:
    """Write ``feature_map.parquet`` for the report; no number depends on it.

    Parameters
    ----------
    features : ndarray, shape (n, f)
        In the order of ``images.parquet``; only the sampled rows are read.
    folder : RunFolder
    """
    if len(features) > 2 and features.shape[1] > 1:
        folder.write_table(TABLE, feature_map(features))


def feature_map(features: NDArray[np.float32]) -> pd.DataFrame:
    """Rows of the images, their places on two components, and the shares of variance of these (in every row).

    Every feature is standardised, since their scales differ from one layer to another.
    """
    import pandas as pd
    from sklearn.utils.extmath import randomized_svd

    count = len(features)
    sampled = np.arange(count)
    if count > _SAMPLE:
        sampled = np.sort(np.random.default_rng(_SEED).choice(count, _SAMPLE, replace=False))
    values = np.asarray(features[sampled], dtype=np.float32)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    total = float((values**2).sum()) or 1.0
    places, lengths, _ = randomized_svd(values, n_components=2, n_iter=4, random_state=_SEED)
    x, y = (places[:, axis] * lengths[axis] for axis in (0, 1))
    shares = lengths**2 / total
    return pd.DataFrame({"row": sampled, "x": x, "y": y, "share_x": shares[0], "share_y": shares[1]})
