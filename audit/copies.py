"""Copies: files of one image, identical, with identical pixels, or turned, mirrored, rescaled, recompressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..images.fingerprint import CHECKSUMS
from ..images.keypoints import KeypointFile
from ..machine import Executor
from .candidates import candidate_pairs
from .comparisons import Contents, Report, compare_pairs

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("identical file", "identical pixels", "near-duplicate", "looks alike")
"""The last one is likely, not sure: such pairs are listed, and never grouped."""
_ORDER = {kind: place for place, kind in enumerate(("near-duplicate", "identical pixels", "identical file"))}
_PLACED = {"zoom": 1.0, "shift_x": 0.0, "shift_y": 0.0}
_SIDES = ("image_id", "path", "label")
COLUMNS = [
    "kind",
    *(f"{name}_{side}" for name in _SIDES for side in "ab"),
    "similarity",
    "turned",
    "mirrored",
    *_PLACED,
]
_NUMBERS = ("similarity", "turned", *_PLACED)


def find_copies(
    images: pd.DataFrame,
    fingerprints: NDArray[np.float32],
    keypoints: KeypointFile,
    report: Report | None = None,
    executor: Executor | None = None,
    fresh: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Find pairs of files that are copies of one image; of identical files and pixels each with the first one only.

    Parameters
    ----------
    images : DataFrame
        One row per file: image_id, label, path.
    fingerprints : ndarray of float32, shape (n, 2050)
        Of each row; may be memory-mapped. See `leukobench.images.fingerprint.fingerprint`.
    keypoints : KeypointFile
        Of the same images; those that it lacks are found anew.
    report : callable, optional
        Called with the number of pairs compared and of all.
    executor : Executor, optional
        Compares the candidates, where they are many.
    fresh : ndarray of bool, shape (n,), optional
        Rows of which a pair needs at least one; others were compared with one another before. All by default.

    Returns
    -------
    DataFrame
        kind (one of `KINDS`), image_id_a, image_id_b, path_a, path_b, label_a, label_b, similarity (1: the same),
        turned (degrees), mirrored, zoom (size of b relative to a), shift_x and shift_y (of b, in widths and heights of
        a), labels_differ. Pairs under two labels come first, then near-duplicates, the least similar first; pairs that
        only look alike come last.
    """
    return _table([*_identical(images), *_alike(images, fingerprints, keypoints, report, executor, fresh)])


def identical_files(images: pd.DataFrame) -> pd.DataFrame:
    """The pairs of identical files alone, as `find_copies` returns them; no image is opened."""
    return _table(_identical(images))


def _table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(rows, columns=COLUMNS).astype({"mirrored": bool, **dict.fromkeys(_NUMBERS, float)})
    table["labels_differ"] = table["label_a"] != table["label_b"]
    alike = table["kind"] == KINDS[-1]
    table = table.assign(alike=alike, order=table["kind"].map(_ORDER)).sort_values(
        ["alike", "labels_differ", "order", "similarity", "path_a", "path_b"],
        ascending=[True, False, True, True, True, True],
    )
    return table.drop(columns=["alike", "order"]).reset_index(drop=True)


def _identical(images: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Pair each further file of identical bytes with the first one."""
    again = images["image_id"].duplicated()
    firsts = images[~again].set_index("image_id")
    rows = []
    for image in images[again].to_dict("records"):
        other = firsts.loc[image["image_id"]]
        sides = [(image["image_id"],) * 2, (other["path"], image["path"]), (other["label"], image["label"])]
        rows.append((KINDS[0], *(value for side in sides for value in side), 1.0, 0.0, False, *_PLACED.values()))
    return rows


def _alike(
    images: pd.DataFrame,
    fingerprints: NDArray[np.float32],
    keypoints: KeypointFile,
    report: Report | None,
    executor: Executor | None,
    fresh: NDArray[np.bool_] | None,
) -> list[tuple[Any, ...]]:
    """Verified pairs of distinct contents; names and order of the files make no difference."""
    _, first = np.unique(images["image_id"].to_numpy(dtype=str), return_index=True)
    pairs = candidate_pairs(fingerprints, first)
    if fresh is not None:
        pairs = pairs[fresh[pairs].any(axis=1)]
    checksums = fingerprints[:, :CHECKSUMS]
    equal = (checksums[pairs[:, 0]] == checksums[pairs[:, 1]]).all(axis=1)
    contents = Contents(images["image_id"].to_numpy(dtype=str), images["path"].to_numpy(dtype=str))
    matches = compare_pairs(contents, pairs, equal, keypoints, report, executor)
    columns = [images[name].to_numpy() for name in _SIDES]
    return [(match.kind, *(values[row] for values in columns for row in (a, b)), *match[1:]) for a, b, match in matches]
