"""Parcels: a piece of work for another process, of which large parts are sent once."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cloudpickle")

from leukobench.runs.parcels import Packing, Parcel, compute


def total(numbers: np.ndarray, names: tuple[str, ...], place: Path, begin: Callable[[str], None]) -> Any:
    begin("adding")
    return int(numbers.sum()), len(names), place


def opened(parcel: Parcel, files: dict[str, str], written: str = "") -> tuple[bool, Any]:
    ended_well, content = compute(parcel.data, files, written, lambda step: None)
    return ended_well, pickle.loads(content)


def keep_in(folder: Path, kept: dict[str, str]) -> Callable[[str, bytes | Path], None]:
    def keep(name: str, part: bytes | Path) -> None:
        assert name not in kept
        kept[name] = str(part)
        if isinstance(part, bytes):
            (folder / name).write_bytes(part)
            kept[name] = str(folder / name)

    return keep


def test_large_parts_are_sent_once_and_paths_are_absolute(tmp_path: Path) -> None:
    kept: dict[str, str] = {}
    packing = Packing(keep_in(tmp_path, kept))
    numbers, names = np.arange(50_000), tuple(map(str, range(50_000)))
    parcels = [packing.pack(total, (numbers, names, Path("results", str(n)))) for n in range(3)]
    assert len(kept) == 2
    assert all(len(parcel.data) < 500 and set(parcel.parts) == set(kept) for parcel in parcels)
    for position, parcel in enumerate(parcels):
        place = Path("results", str(position)).absolute()
        assert opened(parcel, kept) == (True, (int(numbers.sum()), 50_000, place))


def test_small_parts_travel_with_the_piece(tmp_path: Path) -> None:
    parcel = Packing(keep_in(tmp_path, {})).pack(total, (np.arange(3), ("a",), tmp_path))
    assert parcel.parts == ()
    assert opened(parcel, {}) == (True, (3, 1, tmp_path))


def test_of_a_folder_that_is_not_shared_files_are_sent_and_results_come_back(tmp_path: Path) -> None:
    kept: dict[str, str] = {}
    (tmp_path / "features.npy").write_bytes(b"1")
    packing = Packing(keep_in(tmp_path, kept), tmp_path)
    parcel = packing.pack(total, (np.arange(3), (), tmp_path / "features.npy"))
    assert list(kept.values()) == [str(tmp_path / "features.npy")]
    assert opened(parcel, dict.fromkeys(kept, "/elsewhere/x"))[1][2] == Path("/elsewhere/x")
    parcel = packing.pack(total, (np.arange(3), (), tmp_path / "records"))
    assert opened(parcel, {}, "/elsewhere/written")[1][2] == Path("/elsewhere/written/records")
    (tmp_path / "features.npy").write_bytes(b"22")
    packing.pack(total, (np.arange(3), (), tmp_path / "features.npy"))
    assert len(kept) == 2  # another content


def test_a_failure_comes_back_with_where_it_was() -> None:
    parcel = Packing(lambda name, part: None).pack(total, (None, (), Path("x")))
    ended_well, error = opened(parcel, {})
    assert not ended_well
    assert isinstance(error, AttributeError)
    assert "in total" in error.__notes__[0]
