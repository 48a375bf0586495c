"""A picture of the views: one image of each class, as it is and in every view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..errors import UnreadableImageError
from ..features.views import View
from ..images.reading import read_image
from ..storage import atomic_path

_SIDE, _GAP, _CAPTION = 112, 4, 20
_CLASSES = 4
_INK = "#1f2933"


def draw_views(
    files: Sequence[tuple[str, str]], labels: NDArray[np.int64], views: Sequence[View], target: Path
) -> None:
    """Write a JPEG: a row for each of the first four classes, and a column for each view.

    Parameters
    ----------
    files : sequence of (image_id, path)
    labels : ndarray of int64, shape (n,)
    views : sequence of View
    target : Path
    """
    first = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)[:_CLASSES]]
    changes = [lambda pixels: pixels, *(view.change for view in views)]
    step = _SIDE + _GAP
    sheet = Image.new("RGB", (len(changes) * step, _CAPTION + len(first) * step), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for column, name in enumerate(["untouched", *(view.name for view in views)]):
        draw.text((column * step + 2, 3), name, fill=_INK, font=font)
    for place, row in enumerate(first):
        try:
            pixels = read_image(files[row][1])
        except UnreadableImageError:
            continue
        for column, change in enumerate(changes):
            image = Image.fromarray(change(pixels))
            image.thumbnail((_SIDE, _SIDE))
            sheet.paste(image, (column * step, _CAPTION + place * step))
    with atomic_path(target) as temporary:
        sheet.save(temporary, "JPEG", quality=85)
