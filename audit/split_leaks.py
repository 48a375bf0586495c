"""Leaks across a given split: patients and copies of one image that are in several of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .clusters import clusters_of, sure_pairs
from .copies import KINDS

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["kind", "patient", "part_a", "part_b", "images_a", "images_b", "path_a", "path_b"]
PATIENT = "patient"
"""Kind of a row of a patient; the others are of pairs of copies."""


@dataclass(frozen=True, eq=False)
class SplitLeaks:
    """What is in several parts of a given split.

    Attributes
    ----------
    table : DataFrame
        A row for each patient and two parts, and for each pair of copies: kind (``patient``, or one of `KINDS`),
        patient, part_a and part_b, images_a and images_b (how many images of the patient each part has), path_a and
        path_b (of the copies; of a patient the first image in each part).
    rows : ndarray of bool, shape (n,)
        Images whose patient, or a copy of which, is in another part.
    """

    table: pd.DataFrame
    rows: NDArray[np.bool_]


def split_leaks(images: pd.DataFrame, parts: NDArray[np.str_], pairs: pd.DataFrame) -> SplitLeaks:
    """Find patients and copies that are in several parts.

    Parameters
    ----------
    images : DataFrame
        One row per file: image_id, path, patient ('' where unknown).
    parts : ndarray of str, shape (n,)
        Part of each; '' takes no part.
    pairs : DataFrame
        Of copies; see `leukobench.audit.clusters.group_pairs`. Those that `sure_pairs` leaves out count for none.
    """
    import pandas as pd

    copies = images.assign(copies=clusters_of(sure_pairs(pairs), images))
    copies["copies"] = copies["copies"].where(copies["copies"] != "", copies["image_id"])
    rows = [*_patients(images, parts), *_identical(images, parts), *_alike(images, parts, pairs)]
    concerned = _several(copies["copies"], parts) | _several(images["patient"], parts)
    return SplitLeaks(pd.DataFrame(rows, columns=COLUMNS), concerned)


def _several(keys: pd.Series[str], parts: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Rows in a part whose key is in another part, too."""
    import pandas as pd

    counted = pd.Series(parts, index=keys.index).where(parts != "").groupby(keys).transform("nunique")
    return ((counted > 1) & (keys != "") & (parts != "")).to_numpy()


def _patients(images: pd.DataFrame, parts: NDArray[np.str_]) -> Iterator[list[Any]]:
    named = images.assign(part=parts)
    named = named[(named["patient"] != "") & (named["part"] != "")]
    counts = named.groupby(["patient", "part"])["path"].agg(["size", "first"]).reset_index()
    for patient, own in counts.groupby("patient"):
        inside = own[["part", "size", "first"]].to_numpy().tolist()
        for one, other in combinations(inside, 2):
            yield [PATIENT, patient, *(value for both in zip(one, other, strict=True) for value in both)]


def _identical(images: pd.DataFrame, parts: NDArray[np.str_]) -> Iterator[list[Any]]:
    """Each file with the first identical one of each other part."""
    named = images.assign(part=parts)
    named = named[(named["part"] != "") & named["image_id"].duplicated(keep=False)]
    for _, same in named.groupby("image_id"):
        firsts = same.drop_duplicates("part")[["part", "path"]].to_numpy().tolist()
        for part, path in same[["part", "path"]].to_numpy().tolist():
            for one, other in firsts:
                if one < part:
                    yield [KINDS[0], "", one, part, 1, 1, other, path]


def _alike(images: pd.DataFrame, parts: NDArray[np.str_], pairs: pd.DataFrame) -> Iterator[list[Any]]:
    part = dict(zip(images["path"], parts.tolist(), strict=True))
    kept = sure_pairs(pairs)
    kept = kept[kept["kind"] != KINDS[0]]
    for kind, one, other in kept[["kind", "path_a", "path_b"]].to_numpy().tolist():
        sides = part.get(one, ""), part.get(other, "")
        if all(sides) and len(set(sides)) > 1:
            yield [kind, "", *sides, 1, 1, one, other]
