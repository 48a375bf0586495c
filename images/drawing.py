"""Drawing: the pixels of one synthetic blood smear, with NumPy and Pillow alone.

Cells add up as optical density and become colour by the law of Beer and Lambert, as in a stained film: red cells with
a pale centre, white cells with nucleus, chromatin, nucleoli and cytoplasm, platelets, uneven light, blur and noise.
Lengths are in pixels of an image 224 wide and scale with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

_BASE = 224
_TEXTURE = 512
_MARGIN = 48
_RED, _CYTOPLASM, _NUCLEUS = 0, 1, 2
_ABSORPTION = np.array([[0.52, 0.42, 0.30], [0.60, 0.52, 0.10], [0.88, 1.42, 0.30]], dtype=np.float32)


@dataclass(frozen=True)
class Morphology:
    """What the white cells of one stage, one patient or one image look like.

    Attributes
    ----------
    nucleus : float
        Mean radius of the nucleus, pixels.
    coarseness : float
        Share of coarse, clumped chromatin against fine chromatin, 0 to 1.
    nucleoli : float
        Mean number of nucleoli.
    rim : float
        Width of the cytoplasm as a share of the nucleus' radius.
    irregularity : float
        Deviation of the nucleus' outline from a circle, as a share of its radius.
    cells : float
        Mean number of white cells in a field.
    """

    nucleus: float
    coarseness: float
    nucleoli: float
    rim: float
    irregularity: float
    cells: float


@dataclass(frozen=True)
class Stain:
    """How one patient's slide was stained and lit.

    Attributes
    ----------
    absorption : ndarray of float32, shape (3, 3)
        Absorption of red, green and blue light (columns) by red cells, cytoplasm and nuclei (rows).
    light : ndarray of float32, shape (3,)
        Colour of the empty field, 0 to 1.
    red_cells : float
        Red cells in a field.
    blur : float
        Radius of the focus blur, pixels.
    """

    absorption: np.ndarray
    light: np.ndarray
    red_cells: float
    blur: float


def draw_stain(rng: np.random.Generator) -> Stain:
    """Draw one patient's stain and light, whatever the stage."""
    hue = 1 + rng.normal(0, 0.07, (3, 3))
    strength = rng.uniform(0.82, 1.15, (3, 1))
    light = np.clip(rng.normal((0.97, 0.965, 0.95), 0.016), 0.88, 1.0) * rng.uniform(0.94, 1.02)
    return Stain(
        absorption=(_ABSORPTION * hue * strength).astype(np.float32),
        light=light.astype(np.float32),
        red_cells=rng.uniform(50, 115),
        blur=rng.uniform(0.35, 0.8),
    )


def draw_smear(morphology: Morphology, stain: Stain, rng: np.random.Generator, size: int = _BASE) -> np.ndarray:
    """Draw one field of a synthetic smear.

    Parameters
    ----------
    morphology : Morphology
        What the white cells look like.
    stain : Stain
        Colours and light.
    rng : numpy.random.Generator
        Source of all randomness.
    size : int
        Height and width in pixels.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
    """
    scale = size / _BASE
    margin = int(_MARGIN * scale)
    density = np.zeros((3, size + 2 * margin, size + 2 * margin), dtype=np.float32)
    _add_red_cells(density[_RED], stain, rng, scale)
    _add_platelets(density[_NUCLEUS], margin, rng, scale)
    for row, column in _white_cell_places(morphology, rng, size):
        _add_white_cell(density, row + margin, column + margin, morphology, rng, scale)
    return _develop(density[:, margin:-margin, margin:-margin], stain, rng, scale)


def _add_red_cells(layer: np.ndarray, stain: Stain, rng: np.random.Generator, scale: float) -> None:
    """Spread red cells over a jittered grid, so that they touch here and there but seldom pile up."""
    sprites = _red_cells(scale)
    half = len(sprites[0]) // 2 + 1
    step = _BASE / np.sqrt(stain.red_cells * rng.uniform(0.8, 1.25)) * scale
    line = np.arange(half, len(layer) - half, step)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2) + rng.uniform(0, step, 2)
    places = np.clip(grid + rng.normal(0, 0.27 * step, grid.shape), half, len(layer) - half).astype(int)
    kinds = rng.integers(len(sprites), size=len(places))
    depths = rng.uniform(0.75, 1.15, len(places))
    for (row, column), kind, depth in zip(places.tolist(), kinds.tolist(), depths.tolist(), strict=True):
        _add(layer, sprites[kind] * depth, row, column)


def _add_platelets(layer: np.ndarray, margin: int, rng: np.random.Generator, scale: float) -> None:
    for row, column in rng.integers(margin, len(layer) - margin, (rng.poisson(3), 2)).tolist():
        angle, distance = _polar(int(4 * scale) + 1)
        _add(layer, 0.45 * _disc(angle, distance, rng.uniform(1.0, 2.2) * scale, 0.2, rng, scale), row, column)


def _white_cell_places(morphology: Morphology, rng: np.random.Generator, size: int) -> list[tuple[int, int]]:
    """Choose places that keep white cells apart; a cell that finds no space after some tries is left out."""
    apart = 2 * morphology.nucleus * (1 + morphology.rim) * 0.95 * size / _BASE
    places: list[tuple[int, int]] = []
    for _ in range(1 + rng.poisson(max(0.0, morphology.cells - 1))):
        for row, column in rng.integers(0, size, (8, 2)).tolist():
            if all(math.hypot(row - r, column - c) > apart for r, c in places):
                places.append((row, column))
                break
    return places


def _add_white_cell(
    density: np.ndarray, row: int, column: int, morphology: Morphology, rng: np.random.Generator, scale: float
) -> None:
    radius = float(morphology.nucleus * rng.lognormal(0, 0.09) * scale)
    rim = float(morphology.rim * rng.lognormal(0, 0.25) * radius)
    angle, distance = _polar(min(int(1.25 * (radius + rim)) + 2, int(_MARGIN * scale)))
    nucleus = _disc(angle, distance, radius, morphology.irregularity, rng, scale)
    shift = rng.uniform(-0.6, 0.6, 2) * rim  # the nucleus seldom lies in the middle
    cell = np.maximum(nucleus, _disc(*_polar(len(angle) // 2, *shift), radius + rim, 0.05, rng, scale))
    chromatin = _chromatin(len(angle), morphology.coarseness, rng, scale)
    for _ in range(rng.poisson(morphology.nucleoli)):
        place = rng.uniform(-0.5, 0.5, 2) * radius
        chromatin -= 0.25 * _disc(*_polar(len(angle) // 2, *place), rng.uniform(0.14, 0.24) * radius, 0.1, rng, scale)
    depth = rng.uniform(0.85, 1.1)
    _cover(density[_RED], cell, row, column)
    _cover(density[_NUCLEUS], cell, row, column)
    _add(density[_CYTOPLASM], (cell - np.float32(0.7) * nucleus) * np.float32(0.65 * depth), row, column)
    _add(density[_NUCLEUS], nucleus * chromatin * np.float32(depth), row, column)


def _chromatin(width: int, coarseness: float, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Density of the nucleus, about 0.85, from a random part of a fine and a coarse texture."""
    fine, coarse = _textures(scale)
    top, left = rng.integers(0, _TEXTURE - width, 2)
    part = (slice(top, top + width), slice(left, left + width))
    share = np.float32(np.clip(coarseness + rng.normal(0, 0.12), 0, 1))
    return np.float32(0.85) + np.float32(0.2) * ((1 - share) * fine[part] + share * 1.4 * coarse[part])


def _develop(density: np.ndarray, stain: Stain, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Turn densities into the colours that a camera sees: light, absorption, focus and noise."""
    size = density.shape[1]
    across, down = rng.normal(0, 0.03, 2).astype(np.float32)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    light = 1 + across * ramp[None, :] + down * ramp[:, None]
    absorbed = np.tensordot(density, stain.absorption, axes=(0, 0))
    picture = np.exp(-absorbed) * light[..., None] * stain.light * np.float32(rng.normal(250, 4))
    top = rng.integers(0, size)
    picture += _noise(size)[top : top + size]
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.BoxBlur(stain.blur * rng.uniform(0.7, 1.5) * scale)))


def _disc(
    angle: np.ndarray, distance: np.ndarray, radius: float, irregularity: float, rng: np.random.Generator, scale: float
) -> np.ndarray:
    """A soft-edged disc, 0 to 1, whose outline waves two to four times around."""
    waves = rng.normal(0, irregularity, 3) / (1, 1.5, 2)
    turns = rng.uniform(0, 2 * np.pi, 3)
    edge = -distance
    # Python numbers, not NumPy's, keep the arithmetic in 32 bits
    for k, wave, turn in zip((2, 3, 4), (radius * waves).tolist(), turns.tolist(), strict=True):
        edge += wave * np.cos(k * angle + turn)
    return np.clip((edge + float(radius)) * (1 / (1.5 * scale)) + 0.5, 0, 1)


def _add(layer: np.ndarray, patch: np.ndarray, row: int, column: int) -> None:
    layer[_under(patch, row, column)] += patch


def _cover(layer: np.ndarray, patch: np.ndarray, row: int, column: int) -> None:
    layer[_under(patch, row, column)] *= 1 - patch


def _under(patch: np.ndarray, row: int, column: int) -> tuple[slice, slice]:
    top, left = row - len(patch) // 2, column - len(patch) // 2
    return slice(top, top + len(patch)), slice(left, left + len(patch))


@lru_cache(maxsize=256)
def _coordinates(half: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    return y, x


def _polar(half: int, down: float = 0.0, right: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Angle and distance of every pixel of a square patch from its middle, or from a point beside it."""
    y, x = _coordinates(half)
    y, x = y - np.float32(down), x - np.float32(right)
    return np.arctan2(y, x), np.hypot(y, x)


@lru_cache(maxsize=4)
def _red_cells(scale: float, kinds: int = 48) -> list[np.ndarray]:
    """Red cells of several sizes and shapes: thick rim, pale centre."""
    rng = np.random.default_rng(1)
    angle, distance = _polar(int(14 * scale) + 1)
    sprites = []
    for _ in range(kinds):
        radius = rng.normal(9.2, 0.7) * scale
        body = _disc(angle, distance, radius, rng.choice([0.02, 0.05, 0.09]), rng, scale)
        pallor = rng.uniform(0.35, 0.75) * np.exp(-((distance / (rng.uniform(0.45, 0.62) * radius)) ** 3))
        rim = 1 + 0.25 * np.exp(-(((distance - 0.85 * radius) / (0.16 * radius)) ** 2))
        sprites.append((0.62 * body * (1 - pallor) * rim).astype(np.float32))
    return sprites


@lru_cache(maxsize=4)
def _textures(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Fine and coarse noise of mean 0 and standard deviation 1, which tiles."""
    rng = np.random.default_rng(2)
    frequency = np.hypot(np.fft.fftfreq(_TEXTURE)[:, None], np.fft.rfftfreq(_TEXTURE)[None, :])
    textures = []
    for period in (3.0, 7.0):
        band = np.exp(-(((frequency * period * scale - 1) / 0.5) ** 2))
        noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((_TEXTURE, _TEXTURE))) * band)
        textures.append((noise / noise.std()).astype(np.float32))
    return textures[0], textures[1]


@lru_cache(maxsize=4)
def _noise(size: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 5, (2 * size, size, 3)).astype(np.float32)
