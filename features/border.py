"""The border of an image: what lies at one of its places and not at the others, such as a mark, a label or a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_THICKNESS = 0.06  # of the shorter side
_PIECES = 4
_FRAME, _LEAST_STEP = 12, 12.0
_SIDES = ("top", "right", "bottom", "left")


def measure_border(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Measure the border of an image.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    dict
        For each piece of the border, four a side: the ranks of its darkest and its brightest pixel among all pieces,
        from 0 to 1; for each side, the step of a frame: the greatest median difference between two neighbouring lines.

    Notes
    -----
    Objects lie anywhere, so that a piece with more of them than the others is another one in each image, whatever their
    number, size and texture: its ranks do not depend on these. A mark has its place.
    """
    least = 2 * _PIECES
    if min(pixels.shape[:2]) < least:
        repeats = [-(-least // length) for length in pixels.shape[:2]]
        pixels = pixels.repeat(repeats[0], axis=0).repeat(repeats[1], axis=1)
    thick = max(1, round(_THICKNESS * min(pixels.shape[:2])))
    sides = [np.rot90(pixels, turns) for turns in range(4)]
    strips = [_brightness(side[:thick, : side.shape[1] - thick]) for side in sides]
    statistics = np.concatenate([_extremes(strip) for strip in strips])
    below, equal = statistics[:, None] > statistics[None], statistics[:, None] == statistics[None]
    ranks = (below.sum(axis=1) + (equal.sum(axis=1) - 1) / 2) / (len(statistics) - 1)
    places = [f"{side} {piece}" for side in _SIDES for piece in range(1, _PIECES + 1)]
    named = {
        f"{place}.{name}": float(rank)
        for place, row in zip(places, ranks, strict=True)
        for name, rank in zip(("darkest", "brightest"), row, strict=True)
    }
    return named | {f"{name}.frame": _frame(side) for name, side in zip(_SIDES, sides, strict=True)}


def _brightness(strip: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Sums of the channels; a sum along an axis of three takes several times as long."""
    total = strip[:, :, 0].astype(np.int16)
    total += strip[:, :, 1]
    total += strip[:, :, 2]
    return total


def _extremes(strip: NDArray[np.int16]) -> NDArray[np.int16]:
    """The darkest and the brightest pixel of each piece, shape (pieces, 2)."""
    starts = np.arange(_PIECES) * strip.shape[1] // _PIECES
    return np.stack(
        [np.minimum.reduceat(strip.min(axis=0), starts), np.maximum.reduceat(strip.max(axis=0), starts)], axis=1
    )


def _frame(side: NDArray[np.uint8]) -> float:
    """The greatest step between two lines near the edge that at least half of their pixels make."""
    lines = side[: min(_FRAME, len(side) // 2 + 1), :, 1].astype(np.int16)
    steps = np.abs(lines[1:] - lines[:-1])
    stepping = steps[2 * np.count_nonzero(steps >= _LEAST_STEP, axis=1) >= steps.shape[1]]
    step = float(np.median(stepping, axis=1).max()) if len(stepping) else 0.0
    return step if step >= _LEAST_STEP else 0.0
