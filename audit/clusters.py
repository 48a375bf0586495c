"""Clusters: which pairs of copies share a group, without a chain through doubtful pairs or across known patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .copies import KINDS

if TYPE_CHECKING:
    import pandas as pd

LISTED = "copies are only listed"
UNSURE = "looks alike"
REJECTED = "decided: different"
PATIENTS = "patients differ"
CONTRADICTED = "would join images decided to be different"
WEAK = "too weak a link for so large a cluster"
"""Reasons why a pair is not grouped."""

SHARE, FEWEST = 0.03, 10
"""A cluster of more images than this share of all, and than this number, is large."""

_Pair = tuple[str, str]


def group_pairs(pairs: pd.DataFrame, images: pd.DataFrame, grouping: bool = True) -> pd.DataFrame:
    """Decide which pairs share a group; adds the columns ``grouped`` and ``reason`` ('' or why it is not grouped).

    The surest pairs are joined first. A pair is not grouped if it only looks alike, if a person decided against it, or
    if its group would then hold two patients that are known to differ, two images that a person called different, or
    more images than `SHARE` and `FEWEST` allow while no third image is a copy of both: so chains grow, while copies of
    one image are copies of one another. Identical files share a group in any case, since an image is known by its
    bytes, and so does what a person confirmed, whatever the patients.

    Parameters
    ----------
    pairs : DataFrame
        kind, image_id_a, image_id_b, path_a, path_b, similarity, decision.
    images : DataFrame
        image_id, patient, path.
    grouping : bool
        False groups identical files alone.
    """
    rows = pairs[["image_id_a", "image_id_b", "decision", "kind"]].to_numpy().tolist()
    refusals = [_refusal(kind, decision, grouping) for _, _, decision, kind in rows]
    groups = _Groups(pairs, images, [not refusal for refusal in refusals])
    certainty = _certainty(pairs, [groups.backed(*row[:2]) for row in rows])
    for position in sorted(range(len(rows)), key=certainty.__getitem__):
        one, other, decision, kind = rows[position]
        if not refusals[position]:
            confirmed = decision == "same" or kind == KINDS[0]
            refusals[position] = "" if confirmed else groups.refusal(one, other)
            if not refusals[position]:
                groups.join(one, other)
    table = pairs.assign(grouped=[not refusal for refusal in refusals], reason=refusals)
    table = table.astype({"grouped": bool, "reason": "str"})
    patient = dict(zip(images["path"], images["patient"], strict=True))
    one, other = (table[f"path_{side}"].map(patient).fillna("") for side in "ab")
    across = table["grouped"] & (one != other) & (one != "") & (other != "")
    return table.assign(reason=table["reason"].mask(across, PATIENTS))


def clusters_of(pairs: pd.DataFrame, images: pd.DataFrame) -> list[str]:
    """Return a key for each row of `images`: copies of one image share it; '' where there is no copy.

    Parameters
    ----------
    pairs : DataFrame
        image_id_a, image_id_b and, if some are not grouped, ``grouped``.
    images : DataFrame
        image_id.
    """
    grouped = pairs[pairs["grouped"]] if "grouped" in pairs else pairs
    names: dict[str, str] = {}
    for members in connected(_ends(grouped)):
        names |= dict.fromkeys(members, f"copies of {min(members)}")
    return [names.get(image_id, "") for image_id in images["image_id"]]


def sure_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of copies as `clusters_of` takes them, whether the setting groups them or only lists them."""
    return pairs[pairs["grouped"] | (pairs["reason"] == LISTED)].assign(grouped=True)


def labels_in_conflict(pairs: pd.DataFrame, images: pd.DataFrame) -> list[str]:
    """The labels of each row's image, as ``"A, B"``, where its copies have several; '' elsewhere.

    Parameters
    ----------
    pairs : DataFrame
        See `group_pairs`.
    images : DataFrame
        image_id, label.
    """
    labels: dict[str, set[str]] = defaultdict(set)
    keys = clusters_of(sure_pairs(pairs), images)
    for key, label in zip(keys, images["label"], strict=True):
        labels[key].add(label)
    return [", ".join(sorted(labels[key])) if key and len(labels[key]) > 1 else "" for key in keys]


def superfluous(pairs: pd.DataFrame) -> dict[str, int]:
    """Files beyond the first of each image, by the surest kind of copy; what was confirmed is a near-duplicate."""
    from scipy.cluster.hierarchy import DisjointSet

    counts = dict.fromkeys(KINDS, 0)
    joined: DisjointSet = DisjointSet({*pairs["image_id_a"], *pairs["image_id_b"]})
    for kind in KINDS:
        own = pairs[pairs["kind"] == kind]
        for one, other in _ends(own):
            counts[kind] += one == other or joined.merge(one, other)
    counts[KINDS[2]] += counts.pop(KINDS[3])
    return counts


def connected(pairs: Iterable[_Pair]) -> list[set[str]]:
    """Sets of names that a chain of pairs connects."""
    from scipy.cluster.hierarchy import DisjointSet

    joined: DisjointSet = DisjointSet()
    for one, other in pairs:
        joined.add(one)
        joined.add(other)
        joined.merge(one, other)
    return list(joined.subsets())


def _ends(pairs: pd.DataFrame) -> list[_Pair]:
    return list(zip(pairs["image_id_a"].tolist(), pairs["image_id_b"].tolist(), strict=True))


def most_images(count: int) -> int:
    """Images that a cluster may hold, of `count`, before it is large."""
    return max(FEWEST, int(SHARE * count))


def _refusal(kind: str, decision: str, grouping: bool) -> str:
    if kind == KINDS[0]:
        return ""
    if decision == "different":
        return REJECTED
    if kind == KINDS[-1] and decision != "same":
        return UNSURE
    return "" if grouping else LISTED


def _certainty(pairs: pd.DataFrame, backed: list[bool]) -> list[tuple[Any, ...]]:
    """What a person confirmed, then identical files and pixels, then backed pairs, the most similar first."""
    kind = pairs["kind"].map({name: place for place, name in enumerate(KINDS)})
    confirmed, likeness = pairs["decision"] == "same", pairs["similarity"].fillna(1)
    weak = ~np.array(backed, dtype=bool)
    return list(zip(~confirmed, kind, weak, -likeness, pairs["image_id_a"], pairs["image_id_b"], strict=True))


class _Groups:
    """Images in disjoint sets, one for each group, with their patients."""

    def __init__(self, pairs: pd.DataFrame, images: pd.DataFrame, sure: list[bool]) -> None:
        from scipy.cluster.hierarchy import DisjointSet

        paired = {*pairs["image_id_a"], *pairs["image_id_b"]}
        self._sets: DisjointSet = DisjointSet(paired)
        self._patients: set[object] = set()
        self._opposed: dict[object, set[str]] = defaultdict(set)
        self._clusters = _Clusters(pairs[np.asarray(sure, dtype=bool)], most_images(len(images)))
        for image_id, patient in zip(images["image_id"].tolist(), images["patient"].tolist(), strict=True):
            if patient and image_id in paired:
                self._sets.add(("patient", patient))
                self._merge(image_id, ("patient", patient), known=True)
        rejected = pairs[pairs["decision"] == "different"]
        for one, other in _ends(rejected):
            self._opposed[self._sets[one]].add(other)
            self._opposed[self._sets[other]].add(one)

    def refusal(self, one: str, other: str) -> str:
        """Why these two may not share a group; '' if they may."""
        first, second = self._sets[one], self._sets[other]
        if first == second:
            return ""
        if first in self._patients and second in self._patients:
            return PATIENTS
        if any(self._sets[image_id] == second for image_id in self._opposed[first]):
            return CONTRADICTED
        return WEAK if self._clusters.chained(one, other) else ""

    def backed(self, one: str, other: str) -> bool:
        """Whether a third image is a copy of both."""
        return self._clusters.backed(one, other)

    def join(self, one: str, other: str) -> None:
        """Give both one group."""
        self._merge(one, other)
        self._clusters.join(one, other)

    def _merge(self, one: object, other: object, known: bool = False) -> None:
        roots = self._sets[one], self._sets[other]
        self._sets.merge(one, other)
        root = self._sets[one]
        if known or not self._patients.isdisjoint(roots):
            self._patients.add(root)
        if roots[0] != roots[1]:
            self._opposed[root] = self._opposed[roots[0]] | self._opposed[roots[1]]


class _Clusters:
    """Clusters of linked images while they grow; images of equal pixels count as one."""

    def __init__(self, pairs: pd.DataFrame, most: int) -> None:
        self._most = most
        equal = pairs[pairs["kind"] == KINDS[1]]
        sets = connected(_ends(equal))
        self._first = {image_id: min(members) for members in sets for image_id in members}
        self._neighbours: dict[str, set[str]] = defaultdict(set)
        for pair in _ends(pairs):
            one, other = map(self._named, pair)
            self._neighbours[one] |= {other} - {one}
            self._neighbours[other] |= {one} - {other}
        self._members = {image_id: {image_id} for image_id in self._neighbours}
        self._root = {image_id: image_id for image_id in self._neighbours}

    def backed(self, one: str, other: str) -> bool:
        """Whether a third image is linked to both."""
        first, second = (self._neighbours.get(self._named(image_id), set()) for image_id in (one, other))
        return not first.isdisjoint(second)

    def chained(self, one: str, other: str) -> bool:
        """Whether the cluster that holds both would be large, and no third image is linked to both."""
        first, second = (self._root[self._named(image_id)] for image_id in (one, other))
        large = first != second and len(self._members[first]) + len(self._members[second]) > self._most
        return large and not self.backed(one, other)

    def join(self, one: str, other: str) -> None:
        """Join the clusters of both."""
        roots = {self._root[self._named(image_id)] for image_id in (one, other)}
        if len(roots) == 2:
            small, large = sorted(roots, key=lambda root: len(self._members[root]))
            members = self._members.pop(small)
            self._members[large] |= members
            self._root |= dict.fromkeys(members, large)

    def _named(self, image_id: str) -> str:
        return self._first.get(image_id, image_id)
