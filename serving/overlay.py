"""The overlay: an image in grey, with heat on top in two colours that the colour-blind can distinguish."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FOR, AGAINST = (230, 97, 1), (33, 102, 172)

_STRONGEST = 99  # percentile of |heat| that has the full colour
_LEAST, _MOST = 0.15, 0.6
_SIDE = 448
_GREY = 0.75
_MARGIN, _BAR, _FONT = 12, 14, 15
_INK, _PAPER = (23, 33, 43), (255, 255, 255)


def full_heat(heat: NDArray[np.float32], slight: float = 0.0) -> float:
    """The heat that has the full colour: the strongest, unless that is below `slight`."""
    return max(float(np.percentile(np.abs(heat), _STRONGEST)), slight, 1e-12)


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32], full: float) -> bytes:
    """PNG of an image, shape (H, W, 3), and its heat, shape (h, w), which is clear where it is weak.

    Heat of `full` and above has the full colour.
    """
    height, width = pixels.shape[:2]
    enlarged = max(1, round(_SIDE / max(height, width)))
    size = (width * enlarged, height * enlarged)
    seen = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    grey = seen @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    seen = _GREY * grey[..., None] + (1 - _GREY) * seen
    warm = np.asarray(Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    share = _share(np.abs(warm) / full)[..., None]
    colour = np.where(warm[..., None] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    return _png(Image.fromarray(np.rint(seen * (1 - share) + colour * share).astype(np.uint8)))


def with_legend(picture: bytes, heading: str, ends: tuple[str, str], notes: Sequence[str]) -> bytes:
    """PNG of an overlay with its heading above, and below it the scale of its colours between two `ends`, and notes.

    Parameters
    ----------
    picture : bytes
    heading : str
    ends : (str, str)
        What the full blue and the full orange mean.
    notes : sequence of str
        Lines below the scale.
    """
    seen = Image.open(io.BytesIO(picture))
    font = ImageFont.load_default(_FONT)
    line, columns = round(1.35 * _FONT), max(16, int(seen.width / (0.52 * _FONT)))
    above = textwrap.wrap(heading, columns)
    below = [part for note in notes for part in textwrap.wrap(note, columns)]
    top, bottom = line * len(above) + _MARGIN, _MARGIN + _BAR + line * (1 + len(below)) + _MARGIN
    sheet = Image.new("RGB", (seen.width + 2 * _MARGIN, top + seen.height + bottom + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN // 2), "\n".join(above), _INK, font, spacing=line - _FONT)
    sheet.paste(seen, (_MARGIN, top))
    at = top + seen.height + _MARGIN
    sheet.paste(_scale(seen.width), (_MARGIN, at))
    at += _BAR + 3
    draw.text((_MARGIN, at), ends[0], _INK, font)
    draw.text((_MARGIN + seen.width, at), ends[1], _INK, font, anchor="ra")
    draw.text((_MARGIN, at + line), "\n".join(below), _INK, font, spacing=line - _FONT)
    return _png(sheet)


def _scale(width: int) -> Image.Image:
    """The colours on white, from the strongest against to the strongest for."""
    heat = np.linspace(-1, 1, width, dtype=np.float32)
    share = _share(np.abs(heat))[:, None]
    colour = np.where(heat[:, None] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    row = np.rint(255 * (1 - share) + colour * share).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(row, (_BAR, width, 3)).copy())


def _share(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of the colour in a pixel, by the heat in parts of the full one."""
    return np.asarray(_MOST * np.clip((np.clip(strength, 0, 1) - _LEAST) / (1 - _LEAST), 0, 1), dtype=np.float32)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
