"""Copies of one image under several labels: left out with a reason, kept if a setting says so, never a class lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.config.experiment_file import for_folder
from leukobench.errors import ImagesError
from leukobench.images.index import index_images
from leukobench.pipeline import audit_images, run
from leukobench.steps.leave_out_conflicts import REASON, leave_out_conflicts, refuse_conflicts


def tree(folder: Path, **classes: str) -> Path:
    """One file for each letter; the same letter is the same content."""
    for label, letters in classes.items():
        (folder / label).mkdir(parents=True)
        for letter in letters:
            (folder / label / f"{letter}.png").write_bytes(letter.encode())
    return folder


def pairs_of(images: pd.DataFrame) -> pd.DataFrame:
    first = images.groupby("image_id")["image_id"].transform("first")
    table = pd.DataFrame({"image_id_a": first, "image_id_b": images["image_id"], "grouped": True, "reason": ""})
    return table[images["image_id"].duplicated()]


def test_both_files_of_an_image_under_two_labels_go_to_the_ledger(tmp_path: Path) -> None:
    index = index_images(tree(tmp_path / "images", one="abcc", two="ade"), "folders")
    kept, rows = leave_out_conflicts(for_folder(tmp_path / "images"), index, pairs_of(index.images))
    assert [Path(path).stem for path in kept.images["path"]] == [
        Path(path).stem for path, row in zip(index.images["path"], rows, strict=True) if row
    ]
    assert sorted(Path(path).stem for path in kept.images["path"]) == ["b", "c", "d", "e"]
    assert kept.ledger["reason"].tolist() == [f"{REASON}: one, two"] * 2
    assert sorted(Path(path).parent.name for path in kept.ledger["path"]) == ["one", "two"]
    refuse_conflicts(for_folder(tmp_path / "images"), kept, pairs_of(index.images))


def test_they_stay_where_the_experiment_keeps_them(tmp_path: Path) -> None:
    folder = tree(tmp_path / "images", one="abc", two="ade")
    index, experiment = index_images(folder, "folders"), for_folder(folder, images={"label_conflicts": "keep"})
    kept, rows = leave_out_conflicts(experiment, index, pairs_of(index.images))
    assert kept is index
    assert rows.all()
    refuse_conflicts(experiment, index, pairs_of(index.images))


def test_a_class_is_never_lost_in_silence(tmp_path: Path) -> None:
    folder = tree(tmp_path / "images", one="ab", two="abcd", three="efg")
    index, experiment = index_images(folder, "folders"), for_folder(folder)
    kept, _ = leave_out_conflicts(experiment, index, pairs_of(index.images))
    assert kept is index
    with pytest.raises(ImagesError, match="Every image of one has a copy under another label"):
        refuse_conflicts(experiment, kept, pairs_of(index.images))


@pytest.mark.slow
def test_a_run_scores_no_image_under_two_labels(experiment: Any, images: Path) -> None:
    first = min(images.rglob("*.jpg"))
    shutil.copy(first, images / "Pro" / "synthetic-P99_9999.jpg")
    outcome = run(experiment(), workers=1)
    answer = outcome.answer
    assert (answer.duplicates.label_conflicts, answer.duplicates.left_out) == (1, 2)
    assert "The 2 files of images under more than one label are left out" in answer.duplicates.words
    assert len(outcome.results.images) == 95
    assert outcome.results.predictions["path"].nunique() == 95
    assert not outcome.results.predictions["path"].isin([str(first)]).any()
    kept = experiment(images={"folder": images, "label_conflicts": "keep"})
    again = run(kept, workers=1)
    assert not again.reused
    assert len(again.results.images) == 97
    assert again.answer.duplicates.left_out == 0
    _, summary = audit_images(kept, workers=1)
    assert summary["label_conflicts"] == 1
