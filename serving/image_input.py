"""What a bundle takes for an image: a file, its bytes, pixels in memory, or a Pillow image."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError
from ..images.candidates import printable
from ..images.reading import read_file
from ..remote.path import any_path

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage


@dataclass(frozen=True)
class Upload:
    """An image that is no file: its name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image in memory: its name, and an array or a Pillow image."""

    name: str
    image: Any

    def to_png(self) -> bytes:
        """The same pixels as a PNG file, so that they are converted and checked as those of any file are."""
        from PIL import Image, ImageOps

        image = self.image
        if isinstance(image, np.ndarray):
            image = Image.fromarray(np.ascontiguousarray(image))
        image = ImageOps.exif_transpose(image)
        if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
            image = image.convert("RGB")
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=1)
        return stream.getvalue()


Image = str | Path | Upload | Pixels
AnyImage: TypeAlias = "Image | bytes | NDArray[np.uint8] | PillowImage"
"""What callers may give: a path, the bytes of a file, pixels of shape (H, W) or (H, W, 3 or 4), or a Pillow image."""


def as_images(images: AnyImage | Iterable[AnyImage]) -> list[Image]:
    """Images with a name each; those in memory are called ``image 1``, ``image 2`` ... by their place.

    Parameters
    ----------
    images : one image, or several
        Pixels are 8-bit grey, RGB or RGBA; an array of shape (n, H, W, 3) holds n of them.

    Raises
    ------
    ConfigurationError
        Something is no image.
    """
    several: Iterable[Any] = [images] if _is_one(images) else cast("Iterable[AnyImage]", images)
    return [_named(image, place) for place, image in enumerate(several, 1)]


def _is_one(images: object) -> bool:
    if isinstance(images, np.ndarray):
        return images.ndim < 4 and images.dtype.kind not in "OUS"
    return isinstance(images, (str, os.PathLike, bytes, bytearray, Upload, Pixels)) or hasattr(images, "getbbox")


def _named(image: Any, place: int) -> Image:
    name = f"image {place}"
    if isinstance(image, (str, os.PathLike)):
        return any_path(image) if isinstance(image, os.PathLike) else str(image)
    if isinstance(image, (Upload, Pixels)):
        return image
    if isinstance(image, (bytes, bytearray, memoryview)):
        return Upload(name, bytes(image))
    shape: tuple[int, ...] = getattr(image, "shape", ())
    colours = 0 not in shape and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4)))
    if hasattr(image, "getbbox") or (isinstance(image, np.ndarray) and image.dtype == np.uint8 and colours):
        return Pixels(name, image)
    raise ConfigurationError(
        f"{name.capitalize()} is none that can be predicted.",
        expected="a path, bytes of an image file, a Pillow image, or uint8 pixels of shape (H, W) or (H, W, 3 or 4)",
        received=f"{type(image).__name__}{f' of {image.dtype}, shape {shape}' if shape else ''}",
    )


def image_bytes(image: Image) -> bytes:
    """The bytes of a file or upload; pixels in memory as a PNG.

    Raises
    ------
    UnreadableImageError
        The file cannot be read.
    """
    if isinstance(image, Upload):
        return image.data
    return image.to_png() if isinstance(image, Pixels) else read_file(image)


def name_of(image: Image) -> str:
    """Path or name, as text that any file format can store."""
    return image.name if isinstance(image, (Upload, Pixels)) else printable(os.fspath(image))
