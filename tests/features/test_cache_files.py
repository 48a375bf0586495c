"""The feature cache in an object store: the same numbers, whole parts or none, no locks."""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("s3fs")

from leukobench.errors import StorageError
from leukobench.features import cache_files
from leukobench.features.cache import FeatureCache
from leukobench.features.cache_files import features_folder
from leukobench.features.cache_health import cached_extractors
from leukobench.remote import objects
from leukobench.remote.path import any_path
from leukobench.studies.cache_check import clean, look_into_cache

from ..s3 import ENVIRONMENT, store

IDENTITY = {"name": "trial", "weights": "w"}
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(60, 300)).astype(np.float32)
NAMES = [f"f_{position:04d}" for position in range(300)]
IDS = [f"{number:064x}" for number in range(60)]

pytestmark = pytest.mark.s3


@pytest.fixture
def cache(bucket: str) -> FeatureCache:
    """An empty cache in a new bucket."""
    return FeatureCache(any_path(f"s3://{bucket}/cache/features"), IDENTITY)


def fill_in_parts(cache: FeatureCache) -> None:
    for start in range(0, 60, 20):
        cache.append(IDS[start : start + 20], VECTORS[start : start + 20], NAMES)


def names_of(cache: FeatureCache) -> list[str]:
    return sorted(Path(name).name for name in store().find(str(cache.folder)))


def forget_ids() -> None:
    from leukobench.features.cache import _SEEN

    _SEEN.clear()


def test_the_variable_names_a_store(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", f"s3://{bucket}/cache")
    assert str(features_folder()) == f"s3://{bucket}/cache/features"
    assert str(FeatureCache.shared(IDENTITY).folder).startswith(f"s3://{bucket}/cache/features/trial-")


def test_features_are_those_of_a_local_cache_to_the_bit(cache: FeatureCache, tmp_path: Path) -> None:
    local = FeatureCache(tmp_path / "local", IDENTITY)
    order = list(RNG.permutation(IDS)) + IDS[:5]
    written = []
    for number, one in enumerate((local, cache)):
        fill_in_parts(one)
        assert one.image_ids() == set(IDS)
        assert one.feature_names() == NAMES
        assert one.fill(order, tmp_path / f"{number}.npy") == []
        written.append((tmp_path / f"{number}.npy").read_bytes())
    assert written[0] == written[1]
    assert cache.folder.name == local.folder.name
    assert cache.fill([*IDS[:3], "unknown"], tmp_path / "some.npy") == ["unknown"]


def test_ids_are_read_without_the_numbers(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"{number:064x}" for number in range(2000)]
    cache.append(ids, RNG.normal(size=(2000, 300)).astype(np.float32), NAMES)
    size, sent = store().du(str(cache.folder)), []
    files, read = store(), store().cat_file
    monkeypatch.setattr(files, "cat_file", lambda *a, **k: sent.append(len(data := read(*a, **k))) or data)  # type: ignore[func-returns-value]
    forget_ids()
    assert cache.image_ids() == set(ids)
    assert (len(sent) <= 4, sum(sent) < size / 5) == (True, True), (sent, size)
    assert cache.image_ids() == set(ids)
    assert len(sent) <= 4  # ids of unchanged parts are remembered


def test_a_damaged_part_is_set_aside(cache: FeatureCache, tmp_path: Path) -> None:
    fill_in_parts(cache)
    (first, *_) = [name for name in store().find(str(cache.folder)) if "part-" in name]
    data = bytearray(store().cat_file(first))
    data[len(data) // 2] ^= 255
    store().pipe_file(first, bytes(data))
    forget_ids()
    missing = cache.fill(IDS, tmp_path / "x.npy")
    assert len(missing) == 20
    assert [name for name in names_of(cache) if name.endswith(".damaged")] == [f"{Path(first).name}.damaged"]
    rows = [IDS.index(one) for one in missing]
    cache.append(missing, VECTORS[rows], NAMES)
    assert cache.fill(IDS, tmp_path / "x.npy") == []
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), VECTORS)


def _append(folder: str, number: int) -> None:
    cache = FeatureCache(any_path(folder), IDENTITY)
    for start in range(0, 60, 10):
        part = slice(start, start + 10)
        cache.append(IDS[part] if number else IDS[::-1][part], (VECTORS if number else VECTORS[::-1])[part], NAMES)


def test_two_processes_append_at_once(cache: FeatureCache, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        other = pool.apply_async(_append, [str(cache.folder.parent), 0])
        while not names_of(cache):
            time.sleep(0.01)
        _append(str(cache.folder.parent), 1)
        other.get()
    assert len([name for name in names_of(cache) if name.startswith("part-")]) == 12
    assert cache.fill(IDS, tmp_path / "x.npy") == []
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), VECTORS)


def test_a_killed_writer_leaves_whole_parts_alone(cache: FeatureCache) -> None:
    code = """if True:
        import sys, numpy as np
        from leukobench.features.cache import FeatureCache
        from leukobench.remote.path import any_path
        cache = FeatureCache(any_path(sys.argv[1]), {"name": "trial", "weights": "w"})
        for number in range(10_000):
            vectors = np.random.default_rng(number).normal(size=(500, 500)).astype(np.float32)
            cache.append([f"{number}-{row}" for row in range(500)], vectors, [f"f{n}" for n in range(500)])
    """
    writer = subprocess.Popen([sys.executable, "-c", code, str(cache.folder.parent)], env={**os.environ, **ENVIRONMENT})
    while len(names_of(cache)) < 3:
        time.sleep(0.02)
    writer.kill()
    writer.wait()
    names = names_of(cache)
    assert all(name == "identity.json" or name.startswith("part-") for name in names)
    for name in names[1:]:
        assert pq.read_table(io.BytesIO(store().cat_file(f"{cache.folder}/{name}"))).shape == (500, 501)


def test_what_a_store_refuses_is_no_damage(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_in_parts(cache)
    forget_ids()
    before = names_of(cache)

    def deny(*_: Any, **__: Any) -> bytes:
        raise PermissionError("ExpiredToken")

    with monkeypatch.context() as patch:
        patch.setattr(store(), "cat_file", deny)
        with pytest.raises(StorageError, match="is denied"):
            cache.image_ids()
    assert names_of(cache) == before


def test_a_cache_in_no_bucket_is_an_error(s3: str) -> None:
    cache = FeatureCache(any_path("s3://no-such-bucket/features"), IDENTITY)
    with pytest.raises(StorageError, match="no bucket"):
        cache.append(IDS, VECTORS, NAMES)
    with pytest.raises(StorageError, match="no bucket"):
        cache.image_ids()


def test_bytes_that_are_read_ahead_are_bounded(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_in_parts(cache)
    monkeypatch.setattr(cache_files, "_BYTES_AHEAD", 1)
    at_once, most, read = [0], [0], objects.read_object

    def counted(*a: Any, **k: Any) -> bytes:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        data = read(*a, **k)
        at_once[0] -= 1
        return data

    monkeypatch.setattr(objects, "read_object", counted)
    assert len(list(cache._tables(None))) == 3
    assert most == [1]


def test_the_health_of_a_cache_in_a_store(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_in_parts(cache)
    (first, *_) = [name for name in store().find(str(cache.folder)) if "part-" in name]
    store().pipe_file(first, b"none")
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(cache.folder.parent.parent))
    (one,) = cached_extractors(features_folder(), 10.0)
    assert (one.parts, [path.name for path in one.damaged]) == (3, [Path(first).name])
    state = look_into_cache(10.0)
    assert [unused.bytes for unused in state.unused if str(unused.path).startswith("s3://")] == [4]
    clean(state)
    assert len(names_of(cache)) == 3
