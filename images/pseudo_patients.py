"""Pseudo-patients: groups guessed from file numbers or colour, as a stress test where patients are unknown."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"(.*?)(\d+)(\D*)")


def blocks(images: pd.DataFrame, size: int) -> list[str]:
    """Group `size` consecutive file numbers of a class, since files are often numbered patient by patient.

    Parameters
    ----------
    images : DataFrame
        With ``label`` and ``path``.
    size : int

    Returns
    -------
    list of str
        A key a row; '' for a file without a number.
    """
    return [_block(label, PurePath(path), size) for label, path in zip(images["label"], images["path"], strict=True)]


def stain_clusters(images: pd.DataFrame, colours: NDArray[np.float32], count: int) -> list[str]:
    """Group the images of a class that are similar in colour: k-means on standardised colour statistics.

    Parameters
    ----------
    images : DataFrame
        With ``label``.
    colours : ndarray, shape (n, numbers)
        Such as mean and standard deviation of each channel.
    count : int
        Clusters of each class; fewer where it has fewer distinct images.

    Returns
    -------
    list of str
        A key a row.
    """
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    labels = images["label"].to_numpy(dtype=object)
    numbers = StandardScaler().fit_transform(np.asarray(colours, dtype=np.float64))
    keys = np.empty(len(images), dtype=object)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        distinct = len(np.unique(numbers[rows], axis=0))
        clusters = KMeans(min(count, distinct), n_init=4, random_state=0).fit_predict(numbers[rows])
        keys[rows] = [f"{label}: stain {cluster}" for cluster in clusters]
    return [str(key) for key in keys]


def _block(label: str, path: PurePath, size: int) -> str:
    match = _NUMBER.fullmatch(path.stem)
    if not match:
        return ""
    before, number, after = match.groups()
    return f"{label}: {path.parent.name}/{before}#{after} block {int(number) // size}"
