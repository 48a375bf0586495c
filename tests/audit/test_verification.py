"""Verification: the map that is named is the one that was applied, and what only shares an outline is no copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.audit.verification import Match, Picture, verify
from leukobench.images.keypoints import find_keypoints, grey_version
from leukobench.images.synthetic import draw_image

from .planting import lit, moved


def picture(folder: Path, name: str, pixels: np.ndarray) -> Picture:
    path = folder / f"{name}.png"
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    return Picture(str(path), find_keypoints(grey_version(pixels)))


def matched(folder: Path, first: np.ndarray, second: np.ndarray) -> Match | None:
    return verify(picture(folder, "first", first), picture(folder, "second", second))


@pytest.mark.parametrize(
    ("turn", "zoom", "shift"), [(0, 1, (0.2, 0)), (25, 1, (0, 0)), (0, 0.75, (0, 0)), (200, 1.3, (-0.05, 0.1))]
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_turn_zoom_and_shift_are_those_applied(
    tmp_path: Path, turn: float, zoom: float, shift: tuple[float, float], mirrored: bool
) -> None:
    first = draw_image(0, 24, 9, 160)[0]
    changed = moved(first[::-1] if mirrored else first, turn, zoom, shift, edge=1)
    match = matched(tmp_path, first, changed)
    assert match is not None
    assert (match.kind, match.mirrored) == ("near-duplicate", mirrored)
    sense = -1 if mirrored else 1
    assert abs((match.turned + sense * turn + 180) % 360 - 180) < 1
    assert match.zoom == pytest.approx(zoom, rel=0.02)
    angle = np.deg2rad(turn)
    back = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ -np.array(shift) / zoom
    assert match.shift_x == pytest.approx(back[0], abs=0.02)
    assert match.shift_y == pytest.approx(sense * back[1], abs=0.02)


def test_which_image_comes_first_changes_the_direction_and_not_the_verdict(tmp_path: Path) -> None:
    first = draw_image(3, 24, 9, 160)[0]
    second = lit(moved(first, 40, 1.2, (0.05, 0)), 0.8)
    there, back = matched(tmp_path, first, second), matched(tmp_path, second, first)
    assert there is not None
    assert back is not None
    assert there.kind == back.kind == "near-duplicate"
    assert there.zoom == pytest.approx(1 / back.zoom, rel=0.02)
    assert (there.turned + back.turned) % 360 == pytest.approx(0, abs=1) or (there.turned + back.turned) % 360 > 359


def test_other_images_with_the_same_scale_bar_and_frame_are_no_copies(tmp_path: Path) -> None:
    bar = draw_image(20, 24, 9, 160)[0][:40, :100]
    pictures = [draw_image(number, 24, 9, 160)[0].copy() for number in (4, 5)]
    for pixels in pictures:
        pixels[-40:, :100] = bar
    assert matched(tmp_path, *pictures) is None
