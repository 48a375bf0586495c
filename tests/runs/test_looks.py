"""Looks at sealed images: one experiment looks once, others are counted and named, in other folders, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.runs import looks
from leukobench.runs.folder import RunFolder
from leukobench.runs.looks import FILE, other_looks, record_look


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(f"2026-01-01T00:00:{second:02}+00:00" for second in range(60))
    monkeypatch.setattr(looks, "now", lambda: next(times))


def folder(tmp_path: Path, name: str) -> RunFolder:
    (tmp_path / name).mkdir(exist_ok=True)
    return RunFolder(tmp_path / name)


def test_one_experiment_looks_once_and_every_other_is_counted(tmp_path: Path, clock: None) -> None:
    own = folder(tmp_path, "own")
    first = record_look(own, "sealed", "images", "grid", {"extractor": "x"})
    assert (first.number, first.earlier) == (1, ())
    assert record_look(own, "sealed", "images", "grid", {"extractor": "x"}) == first  # killed, and run again
    second = record_look(own, "sealed", "images", "larger grid", {})
    assert second.number == 2
    assert second.earlier == (f"NOT THE FIRST LOOK: this run, with other settings, opened it on {first.opened}",)
    third = record_look(folder(tmp_path, "other"), "sealed", "fewer images for training", "grid", {})
    assert third.number == 3
    assert [line.split(": ")[1].split(" opened")[0] for line in third.earlier] == ["'own'", "'own'"]
    assert record_look(own, "sealed", "images", "grid", {}) == first  # what came later was not before it
    assert record_look(own, "another test part", "others", "grid", {}).number == 1


def test_a_holdout_that_was_opened_by_hand_is_a_look(tmp_path: Path, clock: None) -> None:
    folder(tmp_path, "drawn").write_json(FILE, {"opened": "2025-12-31", "sealed": "s", "images": "i", "lines": []})
    assert record_look(folder(tmp_path, "given"), "other", "i", "grid", {}).number == 2
    assert record_look(folder(tmp_path, "further"), "other", "j", "grid", {}).number == 2  # that of 'given'
    assert len(other_looks(folder(tmp_path, "drawn"), "s", "i")) == 1
