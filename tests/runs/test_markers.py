"""Markers in folders and in object stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.remote.path import any_path
from leukobench.runs.markers import remove_marker, sees_marker, write_marker


def test_a_marker_is_seen_until_it_is_removed(tmp_path: Path) -> None:
    marker = tmp_path / "folder" / ".dask-1"
    assert not sees_marker(str(marker))
    write_marker(marker)
    assert sees_marker(str(marker))
    remove_marker(marker)
    remove_marker(marker)
    assert not sees_marker(str(marker))


@pytest.mark.s3
def test_so_it_is_in_an_object_store(bucket: str) -> None:
    marker = any_path(f"s3://{bucket}/cache/features/.dask-1")
    write_marker(marker)
    assert sees_marker(str(marker))
    remove_marker(marker)
    assert not sees_marker(str(marker))
    assert not sees_marker("s3://no-such-bucket-of-ours/.dask-1")
