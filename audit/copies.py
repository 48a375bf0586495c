"""Copies: files that hold one picture, byte for byte, pixel for pixel, or turned, mirrored, rescaled, recompressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .candidates import Pairs, candidate_pairs
from .verification import LEAST, Alike, Looks

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("identical file", "identical pixels", "near-duplicate")
_SIDES = ("image_id", "path", "label")
COLUMNS = ["kind", *(f"{name}_{side}" for name in _SIDES for side in "ab"), "similarity", "turned", "mirrored"]
_BATCH = 256


def find_copies(
    images: pd.DataFrame,
    fingerprints: NDArray[np.float32],
    report: Callable[[int, int], None] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Pairs of files that hold one picture; enough of them to connect all copies of it, not every pair.

    Parameters
    ----------
    images : DataFrame
        One row a file: image_id, label, path.
    fingerprints : ndarray of float32, shape (n, 768)
        Of each row; may be memory-mapped. See `leukobench.images.fingerprint.fingerprint`.
    report : callable, optional
        Called with the number of images compared and of all.
    threads : int
        Cores for decoding what looks alike.

    Returns
    -------
    DataFrame
        kind (one of `KINDS`), image_id_a, image_id_b, path_a, path_b, label_a, label_b, similarity (1: the same),
        turned (degrees), mirrored, labels_differ. What wants a look first: two labels, then
        near-duplicates, the least alike first.
    """
    import pandas as pd

    first = np.unique(images["image_id"].to_numpy(), return_index=True)[1]
    rows = [*_identical(images), *_alike(images, fingerprints, np.sort(first), report, threads)]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"similarity": float, "turned": float, "mirrored": bool})
    table["labels_differ"] = table["label_a"] != table["label_b"]
    order = table["kind"].map({kind: place for place, kind in enumerate(reversed(KINDS))})
    table = table.assign(order=order).sort_values(
        ["labels_differ", "order", "similarity", "path_a", "path_b"], ascending=[False, True, True, True, True]
    )
    return table.drop(columns="order").reset_index(drop=True)


def clusters_of(copies: pd.DataFrame, images: pd.DataFrame) -> list[str]:
    """A key for each row of `images` that copies of one picture share, '' where there is no copy."""
    from scipy.cluster.hierarchy import DisjointSet

    joined: DisjointSet = DisjointSet([*copies["image_id_a"], *copies["image_id_b"]])
    for pair in zip(copies["image_id_a"], copies["image_id_b"], strict=True):
        joined.merge(*pair)
    names = {member: f"copies of {min(subset)}" for subset in joined.subsets() for member in subset}
    return [names.get(image_id, "") for image_id in images["image_id"]]


def _identical(images: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Each further file of one content, beside the first one."""
    again = images["image_id"].duplicated()
    firsts = images[~again].set_index("image_id")
    rows = []
    for image in images[again].to_dict("records"):
        other = firsts.loc[image["image_id"]]
        sides = [(image["image_id"],) * 2, (other["path"], image["path"]), (other["label"], image["label"])]
        rows.append((KINDS[0], *(value for side in sides for value in side), 1.0, 0.0, False))
    return rows


def _alike(
    images: pd.DataFrame,
    fingerprints: NDArray[np.float32],
    rows: Pairs,
    report: Callable[[int, int], None] | None,
    threads: int,
) -> list[tuple[Any, ...]]:
    """Verified pairs of distinct contents; `rows` holds one row of each content."""
    joined = _Joined(len(images))
    columns = [images[name].to_numpy() for name in _SIDES]
    paths = columns[1]
    looks, found = Looks(threads), []
    try:
        for pairs in candidate_pairs(fingerprints, rows, joined.apart, report):
            for start in range(0, len(pairs), _BATCH):
                part = [(a, b) for a, b in pairs[start : start + _BATCH].tolist() if joined.differ(a, b)]
                looks.prepare([str(paths[row]) for pair in part for row in pair])
                for a, b in part:
                    if joined.differ(a, b) and (seen := looks.compare(paths[a], paths[b])) and _is_copy(seen):
                        joined.merge(a, b)
                        found.append(_row(columns, a, b, seen))
    finally:
        looks.close()
    return found


def _is_copy(seen: Alike) -> bool:
    return seen.identical or seen.similarity >= LEAST


def _row(columns: Sequence[NDArray[Any]], a: int, b: int, seen: Alike) -> tuple[Any, ...]:
    values = [values[row] for values in columns for row in (a, b)]
    kind = KINDS[1] if seen.identical else KINDS[2]
    return (kind, *values, seen.similarity, seen.turned, seen.mirrored)


class _Joined:
    """Which rows are known to hold one picture already: those are not compared again."""

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
