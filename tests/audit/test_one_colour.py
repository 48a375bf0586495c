"""Pictures of one colour are counted by class; noise and compression hide none, a small object is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.audit.one_colour import of_one_colour, one_colour_words
from leukobench.config.experiment_file import for_folder
from leukobench.pipeline import audit_images

RNG = np.random.default_rng(4)


def audited(folder: Path, **pictures: list[np.ndarray]) -> list[str]:
    for label, of_class in pictures.items():
        (folder / "images" / label).mkdir(parents=True)
        for number, pixels in enumerate(of_class):
            save = {"quality": 60} if number % 2 else {}
            name = f"{number}.{'jpg' if save else 'png'}"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / label / name, **save)
    experiment = for_folder(folder / "images", results=folder / "results", images={"label_conflicts": "keep"})
    return list(audit_images(experiment, workers=1)[1]["warnings"])


def plain(level: int, noise: float = 0.0, side: int = 96) -> np.ndarray:
    return np.full((side, side, 3), level) + RNG.normal(0, noise, (side, side, 3))


def spotted(side: int, spot: int, contrast: int) -> np.ndarray:
    picture = plain(220, 1, side)
    picture[10 : 10 + spot, 10 : 10 + spot] -= contrast
    return picture


def test_a_folder_of_blank_pictures_is_said_to_be_one(tmp_path: Path) -> None:
    levels = {"A": [plain(level) for level in (10, 20, 30)], "B": [plain(level) for level in (200, 210, 220)]}
    assert "6 pictures are of one colour: A 3 of 3, B 3 of 3." in audited(tmp_path, **levels)


def test_noise_hides_none_and_a_small_object_is_none(tmp_path: Path) -> None:
    some = [spotted(96, 8, 60), spotted(600, 15, 90), RNG.normal(128, 40, (50, 50, 3))]
    lines = audited(tmp_path, A=[plain(128, 3), plain(90, 3), *some], B=[*some[::-1], plain(30, 2)])
    assert "3 pictures are of one colour: A 2 of 5, B 1 of 4." in lines


def test_one_picture_and_many_classes_in_words() -> None:
    labels = np.array([f"c{k:02d}" for k in range(12)])
    assert one_colour_words(labels, labels == "c03") == ["1 picture is of one colour: c03 1 of 1."]
    assert one_colour_words(labels, labels != "c03")[0].endswith("c08 1 of 1, and 3 more classes.")
    assert one_colour_words(labels, labels == "") == []


@pytest.mark.slow
def test_no_real_picture_is_of_one_colour(real_images: Path) -> None:
    for folder in (real_images, real_images.parents[1] / "brain", real_images.parents[1] / "cells"):
        for path in [path for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png", ".bmp")][::40]:
            pixels = np.asarray(Image.open(path).convert("RGB"))
            deviations = pixels.reshape(1, -1, 3).std(axis=1).astype(np.float32)
            assert not of_one_colour(deviations / 3, np.zeros(1, np.float32)).any(), "three times the bound"
