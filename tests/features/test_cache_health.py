"""What the cache holds by extractor: sizes, damage, what nothing reads any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.features.cache import FeatureCache
from leukobench.features.cache_health import cached_extractors
from leukobench.features.network_extractor import DECODING
from leukobench.features.simple_measurements import SimpleMeasurements
from leukobench.features.views import VIEWS


def filled(root: Path, identity: Any, parts: int = 1) -> Path:
    cache = FeatureCache(root, identity)
    for number in range(parts):
        cache.append([f"{number}{row}" for row in range(50)], np.ones((50, 3), np.float32), list("abc"))
    return cache.folder


def test_sizes_and_names_are_those_of_the_files(tmp_path: Path) -> None:
    large = filled(tmp_path, {"name": "net", "pooling": "average", "view": [VIEWS[0].name, VIEWS[0].version]}, 3)
    filled(tmp_path, {"name": "tiny"})
    found = cached_extractors(tmp_path, 10.0)
    assert [one.title for one in found] == [f"net, average, view: {VIEWS[0].name}", "tiny"]
    assert (found[0].parts, found[0].bytes) == (3, sum(path.stat().st_size for path in large.iterdir()))
    assert not any(one.damaged or one.orphaned or one.unchecked for one in found)
    assert cached_extractors(tmp_path / "none", 1.0) == []


def test_a_changed_byte_and_what_a_run_set_aside_are_damaged(tmp_path: Path) -> None:
    folder = filled(tmp_path, {"name": "net"}, 2)
    part, other = sorted(folder.glob("part-*"))
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    (aside := folder / "part-x.parquet.damaged").write_bytes(b"")
    (found,) = cached_extractors(tmp_path, 10.0)
    assert set(found.damaged) == {part, aside}
    assert part.exists()
    (found,) = cached_extractors(tmp_path, -1.0)
    assert (found.unchecked, set(found.damaged)) == (2, {aside})
    assert other.exists()


@pytest.mark.parametrize(
    ("identity", "orphaned"),
    [
        ({"name": "net", "decoding": DECODING}, False),
        ({"name": "net", "decoding": "as before"}, True),
        ({"name": "net", "view": [VIEWS[0].name, VIEWS[0].version + 1]}, True),
        ({"name": "net", "view": ["no longer", 1]}, True),
        (SimpleMeasurements.identity, False),
        ({**SimpleMeasurements.identity, "version": 0}, True),
    ],
)
def test_features_of_other_code_are_orphaned(tmp_path: Path, identity: Any, orphaned: bool) -> None:
    filled(tmp_path, identity)
    (found,) = cached_extractors(tmp_path, 10.0)
    assert bool(found.orphaned) == orphaned


def test_a_folder_without_its_identity_is_orphaned(tmp_path: Path) -> None:
    names = ("none", "other", "format", "list")
    folders = [filled(tmp_path, {"name": name}) for name in names]
    (folders[0] / "identity.json").unlink()
    (folders[1] / "identity.json").write_text(json.dumps({"name": "another", "format": 1}))
    (folders[2] / "identity.json").write_text(json.dumps({"name": "format", "format": 0}))
    (folders[3] / "identity.json").write_text("[1]")
    assert all(one.orphaned for one in cached_extractors(tmp_path, 10.0))
