"""Counterfactual views: versions of an image from which one kind of information was taken.

A view depends on the pixels of the image alone, and is made before they are resized for a network.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .background import BLOCK, background_blocks

Pixels = NDArray[np.uint8]

_LEVEL, _SPREAD = 140.0, 30.0
"""Mean and standard deviation of each channel in the view of one colour: few pixels lie beyond black and white."""
_CUT = 0.07
"""Share of the shorter side that is border; a shortcut sees 0.06."""
_COARSE, _COARSEST = 8, 32
"""How many pixels a side become one in the blurred view; its shorter side has so many at most."""
_NOISE, _TILE = 6.0, 512
"""Standard deviation to which noise is brought, in grey levels, after the reduction."""
_OF_FOUR_FIFTHS = 0.4377
"""Variance of the four fifths of normal numbers that are nearest to 0."""
_PATCHES = 8
_NEAR = 20
"""A pixel within so many grey levels of the background, in every channel, belongs to it."""
_FILL = 200
"""Grey level in place of the background."""


@dataclass(frozen=True)
class View:
    """One view.

    Attributes
    ----------
    name : str
    change : callable
        From pixels, uint8 of shape (height, width, 3), to those of the view.
    words : str
        What was done to the images, after "with".
    removes : str
        What can no longer be seen, in words.
    answers : tuple of str
        Rows of the leaderboard whose information it takes away; see `leukobench.steps.score_shortcuts`.
    masked : bool
        Whether it needs images that show a background.
    version : int
        Raised whenever its pixels change: it is a part of the identity of features.
    """

    name: str
    change: Callable[[Pixels], Pixels]
    words: str
    removes: str
    answers: tuple[str, ...] = ()
    masked: bool = False
    version: int = 1


def one_colour(pixels: Pixels) -> Pixels:
    """Each channel at one mean and one standard deviation, by shifting and stretching its levels."""
    image, levels = Image.fromarray(pixels), np.arange(256)
    counts = np.array(image.histogram(), np.float64).reshape(3, 256) / (pixels.size // 3)
    means = (counts @ levels)[:, None]
    spreads = np.sqrt((counts * (levels - means) ** 2).sum(axis=1, keepdims=True))
    table = np.clip(np.rint(_LEVEL + _SPREAD * (levels - means) / np.maximum(spreads, 1.0)), 0, 255)
    return np.asarray(image.point(table.astype(int).ravel().tolist()))


def grey(pixels: Pixels) -> Pixels:
    """Brightness alone."""
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def without_border(pixels: Pixels) -> Pixels:
    """The middle of the image."""
    cut = math.ceil(_CUT * min(pixels.shape[:2])) if min(pixels.shape[:2]) > _PATCHES else 0
    return np.ascontiguousarray(pixels[cut : pixels.shape[0] - cut, cut : pixels.shape[1] - cut])


def blurred(pixels: Pixels) -> Pixels:
    """Reduced to a few pixels, whose noise is levelled, and enlarged again."""
    short = min(pixels.shape[:2])
    return _coarse(pixels, short / max(1, min(short // _COARSE, _COARSEST)))


def even_noise(pixels: Pixels) -> Pixels:
    """Reduced to a half, brought to one strength of noise, and enlarged again."""
    return _coarse(pixels, 2)


def _coarse(pixels: Pixels, factor: float) -> Pixels:
    image = Image.fromarray(pixels)
    small = image.resize([max(1, round(side / factor)) for side in image.size], Image.Resampling.BOX)
    levelled = _with_noise(np.asarray(small), _seeded(pixels))
    return np.asarray(Image.fromarray(levelled).resize(image.size, Image.Resampling.BICUBIC))


def _with_noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """As much noise added as lacks to one strength."""
    down, across = rng.integers(0, _TILE, 2).tolist()
    height, width = pixels.shape[:2]
    rows, columns = (down + np.arange(height)) % _TILE, (across + np.arange(width)) % _TILE
    lacking = np.sqrt(np.maximum(_NOISE**2 - _noise_power(pixels), 0.0)).astype(np.float32)
    return np.clip(np.rint(pixels + lacking * _noise()[rows][:, columns]), 0, 255).astype(np.uint8)


def _noise_power(pixels: Pixels) -> NDArray[np.float32]:
    """Variance of the noise of each channel: of second differences across the diagonal, without the greatest fifth.

    Objects are in these few, so that the noise is that of smooth parts.
    """
    if min(pixels.shape[:2]) < 2:
        return np.zeros(3, np.float32)
    levels = pixels.astype(np.float32)
    down = levels[1:] - levels[:-1]
    squares = np.sort(np.square((down[:, 1:] - down[:, :-1]) / 2).reshape(-1, 3), axis=0)
    return squares[: max(1, 4 * len(squares) // 5)].mean(axis=0) / _OF_FOUR_FIFTHS


def shuffled(pixels: Pixels) -> Pixels:
    """Patches of an eighth of each side, in another order."""
    sides = [min(_PATCHES, length) for length in pixels.shape[:2]]
    high, wide = (length // count for length, count in zip(pixels.shape, sides, strict=False))
    whole = pixels[: high * sides[0], : wide * sides[1]]
    patches = whole.reshape(sides[0], high, sides[1], wide, 3).swapaxes(1, 2).reshape(-1, high, wide, 3)
    mixed = patches[_seeded(pixels).permutation(len(patches))]
    return mixed.reshape(sides[0], sides[1], high, wide, 3).swapaxes(1, 2).reshape(whole.shape)


def objects_alone(pixels: Pixels) -> Pixels:
    """The background, and what resembles it, in one grey; where there is none, the image as it is."""
    blocks = background_blocks(pixels)
    if blocks is None:
        return pixels
    covered = pixels[: BLOCK * len(blocks[0]), : BLOCK * blocks[0].shape[1]]
    level = np.median(_cut(covered)[blocks[0]].reshape(-1, 3), axis=0).astype(np.int16)
    near = (np.abs(pixels.astype(np.int16) - level) <= _NEAR).all(axis=2)
    wide = Image.fromarray(near.view(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))
    return np.where(np.asarray(wide)[:, :, None] > 0, np.uint8(_FILL), pixels)


def background_alone(pixels: Pixels) -> Pixels:
    """Blocks of the background stay, others are replaced by them at random; without a background, one grey."""
    blocks = background_blocks(pixels)
    if blocks is None:
        return np.full_like(pixels, _FILL)
    kept = blocks[1] if blocks[1].any() else blocks[0]
    rows, columns = kept.shape
    tiles = _cut(pixels[: BLOCK * rows, : BLOCK * columns]).copy()
    tiles[~kept] = _seeded(pixels).choice(tiles[kept], int((~kept).sum()))
    return tiles.swapaxes(1, 2).reshape(BLOCK * rows, BLOCK * columns, 3)


BACKGROUND_ALONE = "background only"
_SHARPNESS, _BACKGROUND, _COLOUR = "sharpness and noise", "background", "whole-image colour"
VIEWS = (
    View(
        "colour normalised",
        one_colour,
        "each channel at one mean and one spread",
        "colour, and how bright the images are",
        (_COLOUR, _BACKGROUND),
    ),
    View("grey", grey, "brightness alone", "hue", ()),
    View("border cut", without_border, "7 % of the shorter side cut off all round", "the border", ("border",)),
    View(
        "blurred",
        blurred,
        "eight pixels or more a side made one",
        "sharpness, noise and small structures",
        (_SHARPNESS,),
    ),
    View("noise levelled", even_noise, "two pixels a side made one, at one strength of noise", "noise", (_SHARPNESS,)),
    View("foreground only", objects_alone, "the background in one grey", "the background", (_BACKGROUND,), masked=True),
    View(BACKGROUND_ALONE, background_alone, "patches of the background alone", "what is pictured", (), masked=True),
    View("patches shuffled", shuffled, "64 patches in random order", "all shapes larger than a patch", ()),
)
"""All views, in the order of the report."""


def _cut(pixels: Pixels) -> Pixels:
    """Blocks of an image whose sides are multiples of theirs, shape (rows, columns, BLOCK, BLOCK, 3)."""
    height, width = pixels.shape[:2]
    return pixels.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).swapaxes(1, 2)


def _seeded(pixels: Pixels) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(pixels.tobytes()))


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((_TILE, _TILE, 3), np.float32)
