"""One listing says what is below a folder, and in which version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fsspec")

from leukobench.remote.listing import list_objects
from leukobench.remote.objects import file_system
from leukobench.remote.path import object_of
from leukobench.remote.remembered import Remembered

from ..s3 import store

ODD = (
    "a b.png",
    "50%.png",
    "%20.png",
    "#1.png",
    "q?x=1.png",
    "é/ü.png",
    "+&=;.png",
    "a'\"b.png",
    "日本.png",
    "a//b.png",
    "~.png",
)


@pytest.mark.s3
def test_a_listing_of_s3_has_every_name_and_size_in_order(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(ODD):
        store().call_s3("put_object", Bucket=bucket, Key=f"folder/{name}", Body=b"x" * number)
    store().call_s3("put_object", Bucket=bucket, Key="folder/empty/", Body=b"")
    store().call_s3("put_object", Bucket=bucket, Key="folder-2/other.png", Body=b"")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")  # several pages
    objects = list_objects(object_of(f"s3://{bucket}/folder"))
    assert list(objects.names) == sorted(ODD)
    stored = [objects.get(f"s3://{bucket}/folder/{name}") for name in ODD]
    assert [one.size for one in stored if one] == list(range(len(ODD)))
    assert len({one.key for one in stored if one}) == len(ODD)
    assert objects.get(f"s3://{bucket}/folder/other.png") is None
    assert objects.get(f"s3://{bucket}/folder-2/other.png") is None


@pytest.mark.s3
def test_another_version_has_another_key(bucket: str) -> None:
    path = f"s3://{bucket}/1.png"
    keys = []
    for data in (b"one", b"two", b"one"):
        store().pipe_file(path, data)
        stored = list_objects(object_of(f"s3://{bucket}")).get(path)
        assert stored
        keys.append(stored.key)
    assert keys[0] == keys[2] != keys[1]


def test_other_stores_are_listed_too(memory: str) -> None:
    for name in ("b/2.png", "a/1.png", "a-1.png"):
        file_system("memory").pipe_file(f"bucket/folder/{name}", name.encode())
    objects = list_objects(object_of(memory))
    assert list(objects.names) == ["a-1.png", "a/1.png", "b/2.png"]
    stored = objects.get(f"{memory}/b/2.png")
    assert stored
    assert stored.size == len("b/2.png")


def test_digests_are_remembered_between_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    rng, folder = np.random.default_rng(0), object_of("s3://bucket/folder")
    keys = [rng.bytes(16) for _ in range(50)] + [b"same 8 b" + bytes([number]) * 8 for number in range(3)]
    ids = {key: rng.bytes(32).hex() for key in keys}
    for part in (keys[:20], keys[20:]):
        remembered = Remembered(folder)
        for key in part:
            remembered.add(key, ids[key])
        remembered.save()
    assert {key: Remembered(folder).get(key) for key in keys} == ids
    assert Remembered(folder).get(bytes(16)) == ""
    assert Remembered(object_of("s3://bucket/other")).get(keys[0]) == ""


def test_a_damaged_memory_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    remembered = Remembered(object_of("s3://bucket"))
    remembered.add(b"k" * 16, "00" * 32)
    remembered.save()
    (file,) = (tmp_path / "objects").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert Remembered(object_of("s3://bucket")).get(b"k" * 16) == ""
