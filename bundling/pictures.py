"""Thumbnails of the training images, to be shown as examples beside new ones."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ..errors import ImagesError, UnreadableImageError
from ..images.reading import read_image
from ..machine import Progress

_SIDE = 160


def make_pictures(paths: Sequence[str], progress: Progress) -> list[bytes]:
    """A JPEG of each image, its longer side at most 160 pixels.

    Raises
    ------
    ImagesError
        An image cannot be read.
    """
    from PIL import Image

    pictures = []
    with progress("storing thumbnails", len(paths)) as advance:
        for path in paths:
            try:
                picture = Image.fromarray(read_image(path))
            except UnreadableImageError as error:
                raise ImagesError(
                    "A training image cannot be read, so the bundle cannot contain its thumbnail.",
                    received=f"{path}: {error.what}",
                    fix="restore the image, or leave --pictures out.",
                ) from error
            picture.thumbnail((_SIDE, _SIDE))
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=85)
            pictures.append(stream.getvalue())
            advance(1)
    return pictures
