"""Sheets of single images: as many as there is room for, old ones gone, unreadable images a grey square."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from leukobench.audit.pictures import Picture, draw_pictures
from leukobench.audit.sheets import THUMB


def test_images_stand_in_rows_of_six(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "red.png")
    pictures = [Picture(str(tmp_path / "red.png"), "labelled a", ("predicted b",))] * 7 + [Picture("absent.png", "?")]
    (sheet,) = draw_pictures("suspects", pictures, tmp_path / "sheets", 2)
    pixels = np.asarray(Image.open(sheet)).astype(int)
    cell = pixels.shape[1] // 6
    centres = [
        (THUMB // 2 + row * pixels.shape[0] // 2, THUMB // 2 + column * cell)
        for row, column in ((0, 0), (0, 5), (1, 0))
    ]
    assert all(np.abs(pixels[place] - (200, 30, 30)).max() < 8 for place in centres)
    grey = pixels[THUMB // 2 + pixels.shape[0] // 2, THUMB // 2 + cell]
    assert np.ptp(grey) < 10


def test_no_more_sheets_than_allowed_and_none_of_an_earlier_run(tmp_path: Path) -> None:
    draw_pictures("failures", [Picture("absent.png", "")] * 60, tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["failures-1.png", "failures-2.png"]
    draw_pictures("failures", [], tmp_path, 2)
    assert not list(tmp_path.iterdir())
