"""Comparisons are kept: a pair is verified once, whatever the files are called."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.audit import comparisons
from leukobench.audit.comparisons import kept_folder
from leukobench.images.synthetic import draw_image
from leukobench.processes.executors import Processes

from ..in_process import Elsewhere
from .planting import COPIES, MOVED, found, listed, prints_of, written

COMPARE = comparisons._compare
COMPARE_PATHS = comparisons.compare_paths


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))


def pictures(folder: Path) -> pd.DataFrame:
    pixels = [draw_image(number, 24, 8, 96)[0] for number in range(6)]
    files = {f"{number}": written(image) for number, image in enumerate(pixels)}
    files |= {"0 turned": COPIES["turned 90"][1](pixels[0]), "1 cropped": MOVED["crop 80 %"](pixels[1])}
    return listed(folder, files)


def verified(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    verify = comparisons.verify
    monkeypatch.setattr(comparisons, "verify", lambda *pair: counted.append(1) or verify(*pair))
    return counted


def test_what_was_compared_is_not_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, images = verified(monkeypatch), pictures(tmp_path / "images")
    prints = prints_of(images)
    first = found(images.iloc[:7], prints[:7])
    assert len(counted) == 7 * 6 / 2
    whole = found(images, prints)
    assert len(counted) == 8 * 7 / 2
    moved = images.assign(path=[str(Path(path).rename(f"{path} moved")) for path in images["path"]])
    again = found(moved, prints, executor=Processes(2))
    assert len(counted) == 8 * 7 / 2
    paths = ["path_a", "path_b"]
    pd.testing.assert_frame_equal(again.drop(columns=paths), whole.drop(columns=paths))
    assert len(first) == 1
    assert len(whole) == 2


def test_a_damaged_part_is_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, images = verified(monkeypatch), pictures(tmp_path / "images")
    prints = prints_of(images)
    whole = found(images, prints)
    [part] = kept_folder().glob("part-*.parquet")
    data = part.read_bytes()
    part.write_bytes(data[: len(data) // 2])
    pd.testing.assert_frame_equal(found(images, prints), whole)
    assert len(counted) == 2 * 28
    assert len(list(kept_folder().iterdir())) == 1


def test_many_parts_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "_PARTS", 3)
    counted, images = verified(monkeypatch), pictures(tmp_path / "images")
    prints, parts = prints_of(images), []
    for count in range(2, 8):
        found(images.iloc[:count], prints[:count])
        parts.append(len(list(kept_folder().glob("part-*.parquet"))))
    assert parts == [1, 2, 3, 1, 2, 3]
    assert len(counted) == 7 * 6 / 2
    found(images.iloc[:7], prints[:7])
    assert len(counted) == 7 * 6 / 2


def test_what_was_compared_before_an_interruption_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(tmp_path / "images")
    prints = prints_of(images)

    monkeypatch.setattr(comparisons, "_TOGETHER", 1)

    def interrupt(done: int, _: int) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(images, prints, report=interrupt)
    counted = verified(monkeypatch)
    assert len(found(images, prints)) == 2
    assert len(counted) <= 28 - 10


def test_a_file_that_cannot_be_read_is_not_kept_as_compared(tmp_path: Path) -> None:
    images = pictures(tmp_path / "images")
    prints, away = prints_of(images), tmp_path / "away"
    path = Path(images["path"].iloc[6])
    path.rename(away)
    assert len(found(images, prints)) == 1
    away.rename(path)
    assert len(found(images, prints)) == 2
    assert np.isfinite(prints).all()


@pytest.mark.slow
def test_other_processes_give_the_same_and_one_that_dies_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(tmp_path / "images")
    prints = prints_of(images)
    alone = found(images, prints)
    monkeypatch.setattr(comparisons, "_MANY", 2)
    monkeypatch.setattr(comparisons, "_TOGETHER", 1)
    for kill in (False, True):
        monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / f"cache {kill}"))
        if kill:
            monkeypatch.setattr(comparisons, "_compare", partial(dies_elsewhere, os.getpid()))
        pd.testing.assert_frame_equal(found(images, prints, executor=Processes(2)), alone)


def test_other_machines_find_the_keypoints_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(tmp_path / "images")
    prints = prints_of(images)
    alone = found(images, prints)
    monkeypatch.setattr(comparisons, "_TOGETHER", 1)
    for name in ("images", "nowhere"):
        monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / f"cache of {name}"))
        monkeypatch.setattr(comparisons, "compare_paths", partial(as_if_in, str(tmp_path / name)))
        pd.testing.assert_frame_equal(found(images, prints, executor=Elsewhere()), alone)


def as_if_in(folder: str, paths: dict[int, str], *piece: Any) -> Any:
    """Compare as a machine on which the images lie in another folder, or in none."""
    return COMPARE_PATHS({row: str(Path(folder, Path(path).name)) for row, path in paths.items()}, *piece)


def dies_elsewhere(tests: int, *piece: Any) -> Any:
    """Kill the process, unless it is that of the tests."""
    if os.getpid() != tests:
        os.kill(os.getpid(), signal.SIGKILL)
    return COMPARE(*piece)


def test_a_pair_with_identical_files_is_not_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, images = verified(monkeypatch), pictures(tmp_path / "images")
    again = images.iloc[[0]].assign(path=[str(tmp_path / "images" / "again.png")])
    shutil.copy(images["path"].iloc[0], again["path"].iloc[0])
    images = pd.concat([images, again], ignore_index=True)
    first = found(images, prints_of(images))
    before = len(counted)
    pd.testing.assert_frame_equal(found(images, prints_of(images)), first)
    assert len(counted) == before > 0
