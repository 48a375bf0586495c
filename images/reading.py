"""Reading: a file's bytes become 8-bit RGB pixels, completely, or are refused with a reason."""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ConfigurationError, UnreadableImageError
from ..remote.objects import THREADS
from ..remote.path import is_url, object_of
from .decoding import decode
from .limits import FIX, MAX_BYTES, MAX_PIXELS, TOO_LARGE, refusal, slide_refusal

__all__ = [
    "INTERPOLATIONS",
    "MAX_PIXELS",
    "READS_PIXELS",
    "check_crop",
    "decode",
    "is_crop",
    "read_file",
    "read_for",
    "read_image",
    "read_resized",
    "reading_threads",
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

    Every reader of images goes through here, so that they may be in an object store, too.

    Raises
    ------
    UnreadableImageError
        It cannot be opened, or may not be read; ``what`` is the reason in words.
    StorageError
        An object store does not answer, or refuses.
    """
    try:
        if is_url(path):
            return _read_object(path)
        if reason := refusal(path):
            raise UnreadableImageError(reason, fix=FIX)
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        raise UnreadableImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error


def reading_threads(path: str | Path, cores: int) -> int:
    """Threads that read files such as this one: as many as cores; more where they wait for an object store."""
    return max(cores, THREADS) if is_url(path) else cores


def _read_object(path: str | Path) -> bytes:
    if reason := slide_refusal(path):
        raise UnreadableImageError(reason, fix=FIX)
    try:
        data = object_of(path).read_bytes(MAX_BYTES)
    except FileNotFoundError as error:
        raise UnreadableImageError(f"cannot be opened: {os.strerror(errno.ENOENT)}") from error
    if len(data) > MAX_BYTES:
        raise UnreadableImageError(TOO_LARGE, fix=FIX)
    return data


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


def read_for(
    data: bytes,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    crop: float | None = None,
    reduced: bool = True,
) -> np.ndarray:
    """Pixels of an image file as a network wants them.

    Parameters
    ----------
    data : bytes
        The whole file.
    size : (int, int)
        Height and width of the result in pixels.
    interpolation : str
        A name in `INTERPOLATIONS`.
    crop : float, optional
        The image is scaled until its shorter side, or the side that limits, is `size` divided by this; the middle of it
        is taken, as torchvision and timm do it for square networks. Default: all of it is scaled to `size`, whatever
        its aspect ratio.
    reduced : bool
        Large JPEG files are decoded at a part of their size; see `decode_rgb`.

    Returns
    -------
    ndarray of uint8, shape (*size, 3)

    Raises
    ------
    UnreadableImageError
    """
    if crop is None:
        return resize(decode(data, target_size=size if reduced else None), size, interpolation)
    whole = (math.floor(size[0] / crop), math.floor(size[1] / crop))
    pixels = decode(data, target_size=whole if reduced else None)
    height, width = pixels.shape[:2]
    by_height = height * whole[1] <= width * whole[0]
    scaled = (whole[0], whole[0] * width // height) if by_height else (whole[1] * height // width, whole[1])
    pixels = resize(pixels, scaled, interpolation)
    top, left = (round((side - wanted) / 2) for side, wanted in zip(scaled, size, strict=True))
    return np.ascontiguousarray(pixels[top : top + size[0], left : left + size[1]])


def is_crop(crop: Any) -> bool:
    """Whether `read_for` can crop so."""
    return crop is None or (isinstance(crop, int | float) and not isinstance(crop, bool) and 0.1 <= crop <= 1)


def check_crop(crop: float | None) -> None:
    """Raise a `ConfigurationError` unless `crop` is None, or above 0 and at most 1."""
    if not is_crop(crop):
        raise ConfigurationError(
            f"Images cannot be cropped to {crop!r}.",
            expected="a number from 0.1 to 1, such as 0.875",
            received=repr(crop),
            fix="correct `crop`, or leave it out: the whole image is then scaled to the input size.",
        )


@contextlib.contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Add the path to the refusals, which know only the bytes."""
    try:
        yield
    except UnreadableImageError as error:
        raise UnreadableImageError(error.what, expected=error.expected, received=str(path), fix=error.fix) from error
