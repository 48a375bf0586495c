"""Leaks across a given split, against a look at every two images."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from leukobench.audit.clusters import group_pairs
from leukobench.audit.copies import COLUMNS
from leukobench.audit.split_leaks import split_leaks

PARTS = np.array(["train", "test", "validation", ""])


def pairs_of(images: pd.DataFrame, rows: list[tuple[int, int, str, str]]) -> pd.DataFrame:
    """Pairs of copies: two rows, kind, decision."""
    named = []
    for a, b, kind, decision in rows:
        one, other = images.iloc[a], images.iloc[b]
        values = [
            kind,
            one["image_id"],
            other["image_id"],
            one["path"],
            other["path"],
            "x",
            "x",
            1.0,
            0,
            False,
            1,
            0,
            0,
        ]
        named.append([*values, decision])
    table = pd.DataFrame(named, columns=[*COLUMNS, "decision"])
    return group_pairs(table, images)


def test_every_patient_and_copy_across_parts_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(4)
    for _ in range(4):
        count = 30
        patients = [f"P{number}" if number < 12 else "" for number in rng.integers(0, 18, count)]
        contents = [f"id{number}" for number in rng.integers(0, 24, count)]
        images = pd.DataFrame(
            {"image_id": contents, "path": [f"/d/{n}.png" for n in range(count)], "patient": patients}
        )
        parts = PARTS[rng.integers(0, 4, count)]
        across = [(a, b) for a, b in combinations(range(count), 2) if parts[a] != parts[b] and parts[a] and parts[b]]
        same = {(a, b) for a, b in across if contents[a] == contents[b]}
        shared = {(a, b) for a, b in across if patients[a] == patients[b] != ""}
        leaks = split_leaks(images, parts, pairs_of(images, []))
        wanted = np.zeros(count, dtype=bool)
        wanted[[row for pair in same | shared for row in pair]] = True
        assert leaks.rows.tolist() == wanted.tolist()
        named = leaks.table[leaks.table["kind"] == "patient"]
        assert set(zip(named["patient"], named["part_a"], named["part_b"], strict=True)) == {
            (patients[a], *sorted([parts[a], parts[b]])) for a, b in shared
        }
        counts = pd.crosstab(images["patient"], parts)
        assert all(counts.loc[row["patient"], row["part_a"]] == row["images_a"] for row in named.to_dict("records"))
        copies = leaks.table[leaks.table["kind"] == "identical file"]
        assert set(copies["path_b"]) <= {images["path"][row] for pair in same for row in pair}
        assert bool(len(copies)) == bool(same)


def test_near_duplicates_count_unless_somebody_or_something_speaks_against_them() -> None:
    names = [f"id{number}" for number in range(8)]
    images = pd.DataFrame({"image_id": names, "path": [f"/d/{name}.png" for name in names], "patient": ""})
    images.loc[[6, 7], "patient"] = ["A", "B"]  # two patients that are known to differ
    parts = np.array(["train", "test"] * 4)
    pairs = pairs_of(
        images,
        [
            (0, 1, "near-duplicate", ""),
            (2, 3, "near-duplicate", "different"),
            (4, 5, "looks alike", ""),
            (6, 7, "near-duplicate", ""),
        ],
    )
    leaks = split_leaks(images, parts, pairs)
    assert leaks.rows.tolist() == [True, True] + [False] * 6
    assert leaks.table[["kind", "path_a", "path_b"]].to_numpy().tolist() == [
        ["near-duplicate", "/d/id0.png", "/d/id1.png"]
    ]
