"""The overlay: an image in grey, with heat on top in two colours that the colour-blind can distinguish."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOR, AGAINST = (230, 97, 1), (33, 102, 172)

_STRONGEST = 99  # percentile of |heat| that has the full colour
_LEAST, _MOST = 0.15, 0.6
_SIDE = 448
_GREY = 0.75


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32], slight: float = 0.0) -> bytes:
    """PNG of an image, shape (H, W, 3), and its heat, shape (h, w), which is clear where it is weak.

    The strongest heat has the full colour, unless it is below `slight`.
    """
    height, width = pixels.shape[:2]
    enlarged = max(1, round(_SIDE / max(height, width)))
    size = (width * enlarged, height * enlarged)
    seen = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    grey = seen @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    seen = _GREY * grey[..., None] + (1 - _GREY) * seen
    warm = np.asarray(Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    full = max(float(np.percentile(np.abs(warm), _STRONGEST)), slight, 1e-12)
    strength = np.clip(np.abs(warm) / full, 0, 1)
    share = _MOST * np.clip((strength - _LEAST) / (1 - _LEAST), 0, 1)[..., None]
    colour = np.where(warm[..., None] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    stream = io.BytesIO()
    Image.fromarray(np.rint(seen * (1 - share) + colour * share).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()
