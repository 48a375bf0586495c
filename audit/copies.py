"""Copies: files of one image, identical, with identical pixels, or turned, mirrored, rescaled, recompressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .candidates import Pairs, candidate_pairs
from .verification import LEAST, Similarity, StructureCache

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
_BATCH = 256


def find_copies(
    images: pd.DataFrame,
    fingerprints: NDArray[np.float32],
    report: Callable[[int, int], None] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Find pairs of files that are copies of one image; enough pairs to connect all its copies, not every pair.

    Parameters
    ----------
    images : DataFrame
        One row per file: image_id, label, path.
    fingerprints : ndarray of float32, shape (n, 768)
        Of each row; may be memory-mapped. See `leukobench.images.fingerprint.fingerprint`.
    report : callable, optional
        Called with the number of images compared and of all.
    threads : int
        Cores for decoding the candidates.

    Returns
    -------
    DataFrame
        kind (one of `KINDS`), image_id_a, image_id_b, path_a, path_b, label_a, label_b, similarity (1: the same),
        turned (degrees), mirrored, zoom (size of b relative to a), shift_x and shift_y (of b, in widths and heights of
        a), labels_differ. Pairs under two labels come first, then near-duplicates, the least similar first; pairs that
        only look alike come last.
    """
    first = np.unique(images["image_id"].to_numpy(), return_index=True)[1]
    return _table([*_identical(images), *_alike(images, fingerprints, np.sort(first), report, threads)])


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
    rows: Pairs,
    report: Callable[[int, int], None] | None,
    threads: int,
) -> list[tuple[Any, ...]]:
    """Verified pairs of distinct contents; `rows` holds one row of each content."""
    joined = _Clusters(len(images))
    columns = [images[name].to_numpy() for name in _SIDES]
    paths = columns[1]
    structures, copies = StructureCache(threads), []
    try:
        for pairs in candidate_pairs(fingerprints, rows, joined.apart, report):
            for start in range(0, len(pairs), _BATCH):
                part = [(a, b) for a, b in pairs[start : start + _BATCH].tolist() if joined.differ(a, b)]
                structures.prepare([str(paths[row]) for pair in part for row in pair])
                for a, b in part:
                    if joined.differ(a, b) and (match := structures.compare(paths[a], paths[b])) and _is_copy(match):
                        joined.merge(a, b)
                        copies.append(_row(columns, a, b, match))
    finally:
        structures.close()
    return copies


def _is_copy(match: Similarity) -> bool:
    return match.identical or match.similarity >= LEAST


def _row(columns: Sequence[NDArray[Any]], a: int, b: int, match: Similarity) -> tuple[Any, ...]:
    values = [values[row] for values in columns for row in (a, b)]
    kind = KINDS[1] if match.identical else KINDS[2]
    return (kind, *values, match.similarity, match.turned, match.mirrored, *_PLACED.values())


class _Clusters:
    """Clusters of rows already found to be copies of one image: those are not compared again."""

    def __init__(self, count: int) -> None:
        self._number = np.arange(count)
        self._members: dict[int, list[int]] = {}

    def merge(self, a: int, b: int) -> None:
        keep, drop = int(self._number[a]), int(self._number[b])
        moved = self._members.pop(drop, [drop])
        self._members.setdefault(keep, [keep]).extend(moved)
        self._number[moved] = keep

    def differ(self, a: int, b: int) -> bool:
        return bool(self._number[a] != self._number[b])

    def apart(self, first: Pairs, second: Pairs) -> NDArray[np.bool_]:
        return np.asarray(self._number[first] != self._number[second])
