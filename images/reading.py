"""Reading: a file's bytes become 8-bit RGB pixels, completely, or are refused with a reason."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ConfigurationError, UnreadableImageError
from .decoding import MAX_PIXELS, decode

__all__ = ["INTERPOLATIONS", "MAX_PIXELS", "decode", "read_image", "read_resized", "resize"]

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
"""Interpolations of `resize`; all but nearest average over the source pixels when an image shrinks."""


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read one image file completely.

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG, BMP, TIFF or WebP file; the bytes decide which, not the extension.
    max_pixels : int
        Larger images are refused.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green, blue; see `decode_rgb` for the conversion.

    Raises
    ------
    UnreadableImageError
        The file cannot be opened or does not decode completely; ``what`` is the reason in words.
    """
    with _naming(path):
        return decode(_read_bytes(path), max_pixels)


def read_resized(
    path: str | Path, size: tuple[int, int], interpolation: str = "bilinear", max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Read one image file completely and scale it to `size`.

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG, BMP, TIFF or WebP file.
    size : (int, int)
        Height and width of the result in pixels; the aspect ratio is not kept.
    interpolation : str
        A name in `INTERPOLATIONS`.
    max_pixels : int
        Larger images are refused.

    Returns
    -------
    ndarray of uint8, shape (*size, 3)

    Raises
    ------
    UnreadableImageError
        The file cannot be opened or does not decode completely.
    ConfigurationError
        The interpolation has no such name.
    """
    return resize(read_image(path, max_pixels), size, interpolation)


def resize(pixels: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """Scale an image with Pillow's resampling.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
    size : (int, int)
        Height and width of the result in pixels; the aspect ratio is not kept.
    interpolation : str
        A name in `INTERPOLATIONS`.

    Returns
    -------
    ndarray of uint8, shape (*size, 3)
        `pixels` itself if it has that size already.

    Raises
    ------
    ConfigurationError
        The interpolation has no such name.
    """
    if interpolation not in INTERPOLATIONS:
        raise ConfigurationError(
            f"There is no interpolation called '{interpolation}'.",
            expected=", ".join(INTERPOLATIONS),
            received=interpolation,
            fix="choose one of these names.",
        )
    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.array(Image.fromarray(pixels).resize((width, height), INTERPOLATIONS[interpolation]))


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"cannot be opened: {error.strerror}") from error


@contextlib.contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Add the path to the refusals, which know only the bytes."""
    try:
        yield
    except UnreadableImageError as error:
        raise UnreadableImageError(error.what, expected=error.expected, received=str(path), fix=error.fix) from error
