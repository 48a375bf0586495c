"""Groups of copies: no chain through doubtful pairs, none across patients that are known to differ."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.audit.clusters import (
    CONTRADICTED,
    LISTED,
    PATIENTS,
    REJECTED,
    UNSURE,
    WEAK,
    clusters_of,
    group_pairs,
    superfluous,
)
from leukobench.audit.summary import summarise

from .planting import ALIKE, FILE, NEAR, PIXELS

NOTHING = pd.DataFrame(columns=["fact", "separation", "verdict"])


def images_of(count: int, patients: dict[str, str] | None = None, labels: dict[str, str] | None = None) -> pd.DataFrame:
    ids = [f"{number:03d}" for number in range(count)]
    table = pd.DataFrame({"image_id": ids, "path": [f"/images/{image_id}.png" for image_id in ids]})
    columns = {"patient": patients, "label": labels}
    return table.assign(**{name: [(values or {}).get(i, "") for i in ids] for name, values in columns.items()})


def pairs_of(*rows: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> pd.DataFrame:
    """Near-duplicates of similarity 0.9, or as the third item says."""
    records = []
    for one, other, *more in rows:
        paths = {"path_a": f"/images/{one}.png", "path_b": f"/images/{other}.png"}
        own = {"kind": NEAR, "similarity": 0.9, "decision": "", "label_a": "", "label_b": "", **paths}
        records.append({"image_id_a": one, "image_id_b": other, **own, **(more[0] if more else {})})
    return pd.DataFrame(records)


def grouped(pairs: pd.DataFrame, images: pd.DataFrame) -> set[frozenset[str]]:
    keys = pd.Series(clusters_of(pairs, images), index=images["image_id"])
    return {frozenset(members.index) for key, members in keys.groupby(keys) if key}


def reasons(*rows: Any, patients: dict[str, str] | None = None, grouping: bool = True) -> list[str]:
    return group_pairs(pairs_of(*rows), images_of(100, patients), grouping)["reason"].tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14))
def test_a_cluster_is_what_pairs_connect(pairs: list[tuple[int, int]]) -> None:
    reached = np.eye(12, dtype=bool)
    for a, b in pairs:
        reached[a, b] = reached[b, a] = True
    for _ in range(12):
        reached = reached @ reached
    copies = pd.DataFrame([(f"{a:02d}", f"{b:02d}") for a, b in pairs], columns=["image_id_a", "image_id_b"])
    ids = [f"{number:02d}" for number in range(12)]
    keys = clusters_of(copies, pd.DataFrame({"image_id": ids}))
    paired = {number for pair in pairs for number in pair}
    assert [key != "" for key in keys] == [number in paired for number in range(12)]
    for a in paired:
        assert [keys[a] == keys[b] for b in paired] == [bool(reached[a, b]) for b in paired]


def test_pairs_that_look_alike_are_never_grouped_unless_confirmed() -> None:
    rows = [("001", "002", {"kind": ALIKE}), ("003", "004", {"kind": ALIKE, "decision": "same"}), ("005", "006")]
    table = group_pairs(pairs_of(*rows), images_of(9))
    assert table["reason"].tolist() == [UNSURE, "", ""]
    assert table["grouped"].dtype == bool
    assert grouped(table, images_of(9)) == {frozenset({"003", "004"}), frozenset({"005", "006"})}


def test_known_patients_win_also_over_a_chain_the_surest_pair_first() -> None:
    patients = {"001": "P1", "003": "P2"}
    assert reasons(("001", "003"), patients=patients) == [PATIENTS]
    weaker = ("002", "003", {"similarity": 0.8})
    assert reasons(weaker, ("001", "002"), patients=patients) == [PATIENTS, ""]
    assert reasons(("001", "002"), patients={"001": "P1", "002": "P1"}) == [""]
    # 005 shares its patient with 001: joining 005 to 006 and 006 to 003 would join P1 and P2 as well
    patients |= {"005": "P1"}
    assert reasons(("005", "006"), ("006", "003"), patients=patients).count(PATIENTS) == 1


def test_identical_files_and_confirmed_pairs_are_grouped_whatever_the_patients_and_named() -> None:
    patients = {"001": "P1", "002": "P2"}
    images = images_of(9, patients)
    images.loc[9] = {"image_id": "001", "path": "/images/other.png", "patient": "P2", "label": ""}
    rows = [
        ("001", "001", {"kind": FILE, "path_b": "/images/other.png"}),
        ("001", "002", {"decision": "same"}),
        ("003", "002"),
    ]
    table = group_pairs(pairs_of(*rows), images)
    assert table["grouped"].all()
    assert table["reason"].tolist() == [PATIENTS, PATIENTS, ""]


def test_rejected_pairs_are_not_joined_by_a_detour() -> None:
    rows = [
        ("001", "002", {"decision": "different"}),
        ("001", "003", {"similarity": 0.95}),
        ("002", "003"),
        ("004", "005"),
    ]
    assert reasons(*rows) == [REJECTED, "", CONTRADICTED, ""]


def test_lists_group_identical_files_alone() -> None:
    rows = [("001", "002"), ("003", "003", {"kind": FILE}), ("004", "005", {"kind": ALIKE})]
    assert reasons(*rows, grouping=False) == [LISTED, "", UNSURE]


def test_a_chain_through_many_images_is_cut_at_its_weakest_links_and_a_dense_cluster_is_not() -> None:
    rng = np.random.default_rng(0)
    chain = [(f"{n:03d}", f"{n + 1:03d}", {"similarity": rng.uniform(0.6, 0.9)}) for n in range(60)]
    images = images_of(300, labels={f"{n:03d}": "abc"[n % 3] for n in range(300)})
    table = group_pairs(pairs_of(*chain), images)
    cut = table[table["reason"] == WEAK]
    sizes = [len(members) for members in grouped(table, images)]
    assert max(sizes) <= 10
    assert 5 <= len(cut) < 20
    assert cut["similarity"].mean() < table["similarity"].mean()
    [line] = [line for line in summarise(images, table, NOTHING)["warnings"] if WEAK in line]
    assert line.startswith(f"{len(cut)} pairs would chain many images into one group")
    nearest = {(n, int(other)) for n in range(60) for other in rng.permutation(60)[:10] if other != n}
    dense = [(f"{a:03d}", f"{b:03d}") for a, b in sorted({(min(pair), max(pair)) for pair in nearest})]
    table = group_pairs(pairs_of(*dense), images)
    assert [len(members) for members in grouped(table, images)] == [60]
    lines = summarise(images.assign(label="a"), table, NOTHING)["warnings"]
    assert len(lines) == 1
    assert lines[0].startswith("One image is said to occur 60 times among 300, such as 000.png:")


def test_one_link_joins_no_large_clusters_however_similar_and_several_do() -> None:
    images, ids = images_of(100), [f"{n:03d}" for n in range(16)]
    halves = [*combinations(ids[:8], 2), *combinations(ids[8:], 2)]
    bridges = [("007", "008", {"similarity": 0.99}), ("000", "009"), ("000", "010")]
    table = group_pairs(pairs_of(*halves, *bridges), images)
    assert table["grouped"].all()
    assert len(grouped(group_pairs(pairs_of(*halves, bridges[0]), images), images)) == 2


@pytest.mark.parametrize(("count", "size"), [(40, 6), (425, 8), (12, 6)])
def test_clusters_of_small_data_sets_are_made_silently_even_as_a_chain(count: int, size: int) -> None:
    images = images_of(count)
    table = group_pairs(pairs_of(*((f"{n:03d}", f"{n + 1:03d}") for n in range(size - 1))), images)
    assert [len(members) for members in grouped(table, images)] == [size]
    assert summarise(images, table, NOTHING)["warnings"] == []


def test_many_files_of_equal_pixels_are_one_image_however_few_their_pairs() -> None:
    images = images_of(100)
    table = group_pairs(pairs_of(*(("000", f"{n:03d}", {"kind": PIXELS}) for n in range(1, 60))), images)
    assert [len(members) for members in grouped(table, images)] == [60]
    assert summarise(images, table, NOTHING)["warnings"][0].startswith("One image is said to occur 60 times among 100")


def test_the_order_of_the_pairs_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    ends = rng.integers(0, 80, (200, 2))
    rows = [(f"{a:03d}", f"{b:03d}", {"similarity": round(rng.uniform(0.6, 1), 1)}) for a, b in ends if a < b]
    pairs = pairs_of(*rows).drop_duplicates(["image_id_a", "image_id_b"]).reset_index(drop=True)
    images = images_of(80, {f"{n:03d}": f"P{n % 9}" for n in range(0, 80, 5)})
    whole = group_pairs(pairs, images)
    for seed in range(3):
        shuffled = group_pairs(pairs.sample(frac=1, random_state=seed), images).sort_index()
        pd.testing.assert_frame_equal(shuffled, whole)


def test_files_beyond_the_first_count_once_although_every_pair_is_listed() -> None:
    rows = [*combinations(["001", "002", "003"], 2), ("003", "004", {"kind": PIXELS}), ("004", "004", {"kind": FILE})]
    assert superfluous(pairs_of(*rows)) == {FILE: 1, PIXELS: 1, NEAR: 2}
