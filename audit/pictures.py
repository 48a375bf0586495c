"""Sheets of single images with a few words under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..storage import atomic_path
from .sheets import ALARM, INK, PALE, QUICK, THUMB, shortened, thumbnail

_GAP, _LINE, _LINES = 8, 16, 4
_COLUMNS, _ROWS = 6, 4
SHEET_SIZE = _COLUMNS * _ROWS


@dataclass(frozen=True)
class Picture:
    """An image of a sheet.

    Attributes
    ----------
    path : str
    alarm : str
        Words under its name, in red.
    lines : sequence of str
        Further words, two at most.
    """

    path: str
    alarm: str
    lines: Sequence[str] = ()


def draw_pictures(name: str, pictures: Sequence[Picture], folder: Path, limit: int) -> list[Path]:
    """Write ``<name>-1.png`` and so on, 24 images a sheet; sheets of that name from an earlier run are deleted.

    Parameters
    ----------
    name : str
    pictures : sequence of Picture
    folder : Path
    limit : int
        Sheets at most.
    """
    sheets = []
    for old in folder.glob(f"{name}-*.png"):
        old.unlink()
    for start in range(0, min(len(pictures), limit * SHEET_SIZE), SHEET_SIZE):
        sheets.append(folder / f"{name}-{start // SHEET_SIZE + 1}.png")
        with atomic_path(sheets[-1]) as temporary:
            _sheet(pictures[start : start + SHEET_SIZE]).save(temporary, "PNG", compress_level=QUICK)
    return sheets


def _sheet(pictures: Sequence[Picture]) -> Image.Image:
    width, height = THUMB + 2 * _GAP, THUMB + _LINES * _LINE + 2 * _GAP
    rows = -(-len(pictures) // _COLUMNS)
    sheet = Image.new("RGB", (min(len(pictures), _COLUMNS) * width, rows * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, picture in enumerate(pictures):
        x, y = place % _COLUMNS * width + _GAP, place // _COLUMNS * height + _GAP
        sheet.paste(thumbnail(picture.path), (x, y))
        words = [(Path(picture.path).name, INK), (picture.alarm, ALARM), *((line, PALE) for line in picture.lines)]
        for line, (text, colour) in enumerate(words[:_LINES]):
            draw.text((x, y + THUMB + 3 + line * _LINE), shortened(text), fill=colour, font=font)
    return sheet
