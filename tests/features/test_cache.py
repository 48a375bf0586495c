from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from leukobench.errors import ExtractionError
from leukobench.features.cache import FeatureCache

NAMES = ["a", "b", "c"]


def vectors(*numbers: int) -> np.ndarray:
    return np.array([[n, n + 0.5, -n] for n in numbers], dtype=np.float32)


def ids(*numbers: int) -> list[str]:
    return [f"{n:064x}" for n in numbers]


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    made = FeatureCache(tmp_path / "features", {"name": "net", "weights": "w1"})
    made.append(ids(1, 2), vectors(1, 2), NAMES)
    made.append(ids(3), vectors(3), NAMES)
    return made


def parts(cache: FeatureCache) -> list[Path]:
    return sorted(cache.folder.glob("part-*.parquet"))


def test_rows_come_back_in_the_order_asked_for(cache: FeatureCache, tmp_path: Path) -> None:
    assert cache.image_ids() == set(ids(1, 2, 3))
    assert cache.feature_names() == NAMES
    assert cache.fill(ids(3, 1, 2, 1), tmp_path / "x.npy") == []
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), vectors(3, 1, 2, 1))
    assert cache.fill(ids(3, 4), tmp_path / "x.npy") == ids(4)


def test_another_identity_is_another_folder(cache: FeatureCache, tmp_path: Path) -> None:
    other = FeatureCache(tmp_path / "features", {"name": "net", "weights": "w2"})
    assert other.folder != cache.folder
    assert other.image_ids() == set()


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "rubbish"])
def test_a_damaged_part_is_set_aside_and_only_its_images_are_missing(
    cache: FeatureCache, tmp_path: Path, damage: str
) -> None:
    victim = next(part for part in parts(cache) if pq.read_table(part).num_rows == 2)
    data = bytearray(victim.read_bytes())
    if damage == "flip":
        at = data.find(vectors(1, 2)[:, 1].tobytes())
        start = at if at >= 0 else 200
        data[start] ^= 0x40
    victim.write_bytes({"cut": data[: len(data) // 2], "flip": data, "empty": b"", "rubbish": b"x" * 500}[damage])
    assert cache.fill(ids(1, 2, 3), tmp_path / "x.npy") == ids(1, 2)
    assert cache.image_ids() == set(ids(3))
    assert [path.name for path in cache.folder.glob("*.damaged")] == [victim.name + ".damaged"]


def test_no_flipped_bit_changes_a_number_or_a_name(cache: FeatureCache, tmp_path: Path) -> None:
    victim = next(part for part in parts(cache) if pq.read_table(part).num_rows == 2)
    whole, refused = victim.read_bytes(), 0
    for bit in random.Random(0).sample(range(8 * len(whole)), 250):
        for path in cache.folder.glob(f"{victim.name}*"):
            path.unlink()
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        victim.write_bytes(flipped)
        if cache.fill(ids(1, 2), tmp_path / "x.npy"):
            refused += 1
            continue
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), vectors(1, 2))
        assert cache.feature_names() == NAMES
    assert refused > 100


def test_a_part_of_a_version_without_checksums_is_read(cache: FeatureCache, tmp_path: Path) -> None:
    for part in parts(cache):
        table = pq.read_table(part)
        stamp = {b"leukobench.identity": table.schema.metadata[b"leukobench.identity"]}
        pq.write_table(table.replace_schema_metadata(stamp), part, write_page_checksum=True)
    assert cache.fill(ids(1, 2, 3), tmp_path / "x.npy") == []
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), vectors(1, 2, 3))


def test_a_part_of_another_extractor_is_set_aside(cache: FeatureCache, tmp_path: Path) -> None:
    other = FeatureCache(tmp_path / "features", {"name": "net", "weights": "w2"})
    other.append(ids(9), vectors(9), NAMES)
    parts(other)[0].rename(cache.folder / "part-zz.parquet")
    assert cache.image_ids() == set(ids(1, 2, 3))


def test_nan_is_refused(cache: FeatureCache) -> None:
    with pytest.raises(ExtractionError, match="NaN or infinity for 1 of 2 images"):
        cache.append(ids(7, 8), np.array([[1, 2, 3], [1, np.nan, 3]], np.float32), NAMES)
    assert cache.image_ids() == set(ids(1, 2, 3))


@pytest.mark.parametrize(("precision", "fix"), [("float32", "weights"), ("bfloat16", "float32"), ("", "code")])
def test_what_helps_against_nan_fits_the_extractor(tmp_path: Path, precision: str, fix: str) -> None:
    cache = FeatureCache(tmp_path, {"name": "net"} | ({"precision": precision} if precision else {}))
    with pytest.raises(ExtractionError) as refusal:
        cache.append(ids(7), np.full((1, 3), np.nan, np.float32), NAMES)
    assert fix in refusal.value.fix
    assert ("weights" in refusal.value.fix) == bool(precision)


def _append_many(folder: Path, start: int) -> None:
    cache = FeatureCache(folder, {"name": "net"})
    for n in range(start, start + 40):
        cache.append(ids(n), vectors(n), NAMES)


@pytest.mark.slow
def test_processes_append_side_by_side(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, context) as pool:  # unlike a Pool, it says so when a process dies
        list(pool.map(_append_many, [tmp_path] * 3, [0, 20, 40]))
    cache = FeatureCache(tmp_path, {"name": "net"})
    assert cache.image_ids() == set(ids(*range(80)))
    assert cache.fill(ids(*range(80)), tmp_path / "x.npy") == []
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), vectors(*range(80)))
    assert not list(cache.folder.glob(".part-*"))
