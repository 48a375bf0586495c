"""Objects are written whole, moved and removed."""

from __future__ import annotations

import pytest

pytest.importorskip("s3fs")

from leukobench.errors import StorageError
from leukobench.remote.path import object_of
from leukobench.remote.writing import move_object, remove_objects, write_object

from ..s3 import store

pytestmark = pytest.mark.s3


def test_what_is_written_is_read(bucket: str) -> None:
    path = object_of(f"s3://{bucket}/a b/#%.bin")
    for data in (b"one", b"", memoryview(b"three")):
        write_object(path, data)
        assert path.read_bytes() == bytes(data)


def test_an_object_is_moved(bucket: str) -> None:
    path, target = object_of(f"s3://{bucket}/x"), object_of(f"s3://{bucket}/y")
    write_object(path, b"1")
    move_object(path, target)
    assert (path.exists(), target.read_bytes()) == (False, b"1")
    with pytest.raises(FileNotFoundError):
        move_object(path, target)


def test_objects_are_removed_once_or_twice(bucket: str) -> None:
    for name in ("f/1", "f/g/2", "f2"):
        write_object(object_of(f"s3://{bucket}/{name}"), b"1")
    for _ in range(2):
        remove_objects(object_of(f"s3://{bucket}/f"))
        assert store().find(bucket) == [f"{bucket}/f2"]


def test_a_bucket_that_is_not_there_is_an_error_with_a_fix(s3: str) -> None:
    with pytest.raises(StorageError, match="There is no bucket for s3://no-such-bucket/x") as failure:
        write_object(object_of("s3://no-such-bucket/x"), b"1")
    assert "make the bucket" in failure.value.fix
