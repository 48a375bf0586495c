"""Reading: a file's bytes become 8-bit RGB pixels, completely, or are refused with a reason."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ConfigurationError, UnreadableImageError
from .decoding import decode
from .limits import FIX, MAX_PIXELS, refusal

__all__ = [
    "INTERPOLATIONS",
    "MAX_PIXELS",
    "READS_PIXELS",
    "decode",
    "read_file",
    "read_image",
    "read_resized",
    "resize",
]

READS_PIXELS = ("images.reading", "images.decoding", "images.limits", "images.pillow", "images.png")
"""Modules that decide the pixels of a file."""
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
"""Interpolations of `resize`; all but nearest average over the source pixels when an image shrinks."""


def read_file(path: str | Path) -> bytes:
    """Read the bytes of one image file, none of them where it is no regular file, a whole-slide image or too large.

    Raises
    ------
    UnreadableImageError
        It cannot be opened, or may not be read; ``what`` is the reason in words.
    """
    try:
        if reason := refusal(path):
            raise UnreadableImageError(reason, fix=FIX)
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        raise UnreadableImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error


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
        return decode(read_file(path), max_pixels)


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


@contextlib.contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Add the path to the refusals, which know only the bytes."""
    try:
        yield
    except UnreadableImageError as error:
        raise UnreadableImageError(error.what, expected=error.expected, received=str(path), fix=error.fix) from error
