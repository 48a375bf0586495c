"""The background of an image: its colour, light, noise and sharpness, measured where nothing is pictured.

All of it is measured in smooth patches of the background, so that it does not depend on the number, the size or the
texture of the objects; see decision 027.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BLOCK, _CELL = 8, 4
_LEAST_SIDE = 4 * BLOCK
_LEAST, _MOST = 12, 256
"""Number of smooth blocks in which noise is measured."""
_DARK, _CLIPPED = 6, 249
"""Means of blocks that are black, and so bright that noise is cut off."""
_BRIGHT, _EVEN, _STEP = 110, 14.0, 9.0
"""A background is as bright as that, within so many grey levels of one level, and has no more structure."""
_EDGE = 20.0
"""Least structure of an outline."""
_CREDIBLE = 0.03
"""Share of the blocks of an image that are background at least."""
_FLOOR = 0.05
"""Added to variances: what rounding to whole grey levels leaves undecided."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_BANDS = ((3, 4), (5, 7), (8, 14))
"""Of frequency, in the cosine transform of a block; lower ones decide which blocks are smooth."""

Floats = NDArray[np.floating[Any]]


def measure_background(pixels: NDArray[np.uint8]) -> dict[str, dict[str, float]]:
    """Measure what an image shows where nothing is pictured.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    dict
        ``background``: its colour, and how light falls off across, down and from the middle outwards (grey levels);
        ``sharpness``: logarithms of the power of noise in three bands of frequency, of differences between neighbours,
        and of steps on the 8-pixel grid of JPEG against those beside it; how fast outlines rise, and how sharply they
        bend; ``credible``: ``share``, that of blocks which are background, 0 where there is no credible one.
    """
    pixels, means, structure, grey = _blocks(pixels)
    rows, columns = (length // BLOCK for length in pixels.shape[:2])
    background = _background(grey, structure)
    share = float(background.mean())
    if share >= _CREDIBLE:
        smooth = _smoothest(structure, background + 1 * _inner(background, columns), 1 / 2)
    else:
        share, smooth = 0.0, _smoothest(structure, 2 * ((grey > _DARK) & (grey < _CLIPPED)), 1 / 8)
    edges = _edges(structure, background if share else None, columns)
    return {
        "background": _light(means, np.flatnonzero(background) if share else smooth, rows, columns),
        "sharpness": _noise(pixels, smooth, columns) | _sharpness(pixels, edges, columns),
        "credible": {"share": share},
    }


def background_blocks(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Blocks of `BLOCK` pixels that are background, and those of them whose neighbours are, too.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    tuple of two ndarrays of bool, shape (height // BLOCK, width // BLOCK), or None
        None where there is no credible background.
    """
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return None
    pixels, _, structure, grey = _blocks(pixels)
    columns = pixels.shape[1] // BLOCK
    background = _background(grey, structure)
    if background.mean() < _CREDIBLE:
        return None
    return background.reshape(-1, columns), (background & _inner(background, columns)).reshape(-1, columns)


def _blocks(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Floats, Floats, Floats]:
    """Pixels, enlarged where they are few; mean colour, structure and mean grey level of each block."""
    image = Image.fromarray(pixels)
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        image = image.resize([max(_LEAST_SIDE, side) for side in image.size], Image.Resampling.NEAREST)
        pixels = np.asarray(image)
    rows, columns = (length // BLOCK for length in pixels.shape[:2])
    cells = np.asarray(image.reduce(_CELL), np.float32)[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, 3)
    parts = [cells[:, i, :, j].reshape(-1, 3) for i in (0, 1) for j in (0, 1)]
    greys = np.stack([part @ _LUMA for part in parts])
    return pixels, np.mean(parts, axis=0), np.ptp(greys, axis=0), greys.mean(axis=0)


def _background(grey: Floats, structure: Floats) -> NDArray[np.bool_]:
    """Blocks that are smooth and as bright as the brightest level that many smooth blocks share."""
    smooth = (structure <= _STEP) & (grey >= _BRIGHT)
    if not smooth.any():
        return smooth
    counts = np.bincount(np.minimum(grey[smooth].astype(int), 255), minlength=256)
    near = np.convolve(counts, np.ones(9), "same")
    level = float(np.flatnonzero(near >= 0.5 * near.max())[-1]) - 4
    return smooth & (np.abs(grey - level) <= _EVEN)


def _inner(background: NDArray[np.bool_], columns: int) -> NDArray[np.bool_]:
    """Blocks of the background whose eight neighbours are background, too: no outline, nor what a JPEG makes of it."""
    padded = np.pad(background.reshape(-1, columns), 1, mode="edge")
    down = padded[:-2] & padded[1:-1] & padded[2:]
    return (down[:, :-2] & down[:, 1:-1] & down[:, 2:]).ravel()


def _smoothest(structure: Floats, levels: NDArray[np.integer], share: float) -> NDArray[np.intp]:
    """The smoothest blocks of the highest level, the same share of them; others where there are too few."""
    count = int(np.clip(share * (levels == 2).sum(), min(_LEAST, len(structure)), _MOST))
    return np.argsort(structure - 1000 * levels, kind="stable")[:count]


def _edges(structure: Floats, background: NDArray[np.bool_] | None, columns: int) -> NDArray[np.intp]:
    """Blocks on outlines: beside the background; where there is none, those of the most structure."""
    if background is None:
        return np.argsort(-structure, kind="stable")[: int(np.clip(len(structure) / 10, 1, _MOST))]
    near = background.reshape(-1, columns)
    beside = np.zeros_like(near)
    beside[1:] |= near[:-1]
    beside[:-1] |= near[1:]
    beside[:, 1:] |= near[:, :-1]
    beside[:, :-1] |= near[:, 1:]
    edges = np.flatnonzero(beside.ravel() & ~background & (structure >= _EDGE))
    return edges[:: -(-len(edges) // _MOST)] if len(edges) else np.argsort(-structure, kind="stable")[:1]


def _light(means: Floats, blocks: NDArray[np.intp], rows: int, columns: int) -> dict[str, float]:
    """Colour of the background in the middle of the image, and how its light falls off."""
    down, across = (2 * (blocks // columns) + 1) / rows - 1, (2 * (blocks % columns) + 1) / columns - 1
    terms = np.stack([np.ones(len(blocks)), across, down, across**2 + down**2 - 2 / 3], axis=1)
    spread = np.diag([1e-6, 0.5, 0.5, 0.5])  # few blocks say little of how light falls off
    fit = np.linalg.solve(terms.T @ terms + spread, terms.T @ means[blocks].astype(np.float64))
    fall = fit[1:] @ _LUMA
    named = {f"mean.{c}": float(v) for c, v in zip("rgb", np.median(means[blocks], axis=0), strict=True)}
    return named | dict(zip(("across", "down", "outwards"), map(float, fall), strict=True))


def _patches(pixels: NDArray[np.uint8], blocks: NDArray[np.intp], columns: int) -> Floats:
    """Grey levels of blocks and one pixel beyond, shape (blocks, 9, 9)."""
    top, left = BLOCK * (blocks // columns), BLOCK * (blocks % columns)
    top, left = (
        np.minimum(first, length - BLOCK - 1) for first, length in zip((top, left), pixels.shape, strict=False)
    )
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (BLOCK + 1, BLOCK + 1), axis=(0, 1))
    red, green, blue = windows[top, left].astype(np.float32).transpose(1, 0, 2, 3)
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def _sharpness(pixels: NDArray[np.uint8], blocks: NDArray[np.intp], columns: int) -> dict[str, float]:
    """How steep outlines are, and how sharply they bend, for their height: medians over the blocks."""
    grey = np.ascontiguousarray(_patches(pixels, blocks, columns).transpose(1, 2, 0))  # blocks last: few long loops
    steps = [(grey[:, k:] - grey[:, :-k], grey[k:] - grey[:-k]) for k in (1, 2, 3)]
    steep = np.array([[_steepest(step) for step in pair] for pair in steps])
    bend = [_steepest(steps[0][0][:, 1:] - steps[0][0][:, :-1]), _steepest(steps[0][1][1:] - steps[0][1][:-1])]
    one, two, three = steep.max(axis=1) + 1
    named = {"one to three": one / three, "two to three": two / three, "bend": np.maximum(*bend) / three}
    return {name: float(np.median(values)) for name, values in named.items()}


def _steepest(steps: Floats) -> Floats:
    """The greatest of each block, up or down; `steps` has shape (rows, columns, blocks)."""
    flat = steps.reshape(-1, steps.shape[2])
    return np.maximum(flat.max(axis=0), -flat.min(axis=0))


def _noise(pixels: NDArray[np.uint8], blocks: NDArray[np.intp], columns: int) -> dict[str, float]:
    """What is left in smooth blocks: medians over the blocks, so that one with an object in it does not count."""
    grey = _patches(pixels, blocks, columns)
    transform, bands, inside, on_grid = _weights()
    powers = np.square(transform @ grey[:, :8, :8] @ transform.T).reshape(len(blocks), -1) @ bands
    steps = grey[:, :8, 1:] - grey[:, :8, :8], (grey[:, 1:, :8] - grey[:, :8, :8]).transpose(0, 2, 1)
    across, down = (np.square(step).reshape(len(blocks), -1) for step in steps)
    numbers = np.log(np.column_stack([powers, across @ inside, down @ inside, (across + down) @ on_grid / 2]) + _FLOOR)
    numbers[:, -1] -= numbers[:, -3:-1].mean(axis=1)
    names = [*(f"band {a} to {b}" for a, b in _BANDS), "across", "down", "grid"]
    return dict(zip(names, np.median(numbers, axis=0).tolist(), strict=True))


@lru_cache(maxsize=1)
def _weights() -> tuple[Floats, Floats, Floats, Floats]:
    """The orthonormal cosine transform of eight numbers; means over its bands, inside a block, and at its last edge."""
    k, n = np.mgrid[:BLOCK, :BLOCK]
    basis = np.cos(np.pi * (2 * n + 1) * k / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    basis[0] /= np.sqrt(2)
    bands = np.stack([((k + n >= a) & (k + n <= b)).ravel() for a, b in _BANDS], axis=1).astype(np.float32)
    inside, on_grid = (n < BLOCK - 1).ravel().astype(np.float32), (n == BLOCK - 1).ravel().astype(np.float32)
    return basis.astype(np.float32), bands / bands.sum(axis=0), inside / inside.sum(), on_grid / on_grid.sum()
