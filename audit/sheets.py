"""Contact sheets: copies side by side, to check by eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from ..errors import UnreadableImageError
from ..images.reading import read_image
from ..storage import atomic_path

if TYPE_CHECKING:
    import pandas as pd

_THUMB, _GAP, _CAPTION = 180, 8, 54
_COLUMNS, _ROWS = 3, 4
_INK, _PALE, _ALARM = "#1f2933", "#52606d", "#b91c1c"


def draw_sheets(copies: pd.DataFrame, folder: Path, limit: int) -> list[Path]:
    """Write ``copies-1.png`` and so on: twelve pairs a sheet, the worst first, the second image turned back.

    Parameters
    ----------
    copies : DataFrame
        See `leukobench.audit.copies.find_copies`.
    folder : Path
        Sheets of an earlier audit in it are deleted.
    limit : int
        Sheets at most.

    Returns
    -------
    list of Path
    """
    for old in folder.glob("copies-*.png"):
        old.unlink()
    pairs = copies.to_dict("records")[: limit * _COLUMNS * _ROWS]
    sheets: list[Path] = []
    for start in range(0, len(pairs), _COLUMNS * _ROWS):
        target = folder / f"copies-{len(sheets) + 1}.png"
        with atomic_path(target) as temporary:
            _sheet(pairs[start : start + _COLUMNS * _ROWS]).save(temporary, "PNG", optimize=True)
        sheets.append(target)
    return sheets


def _sheet(pairs: list[Any]) -> Image.Image:
    width, height = 2 * _THUMB + 4 * _GAP, _THUMB + _CAPTION + 2 * _GAP
    rows = -(-len(pairs) // _COLUMNS)
    sheet = Image.new("RGB", (min(len(pairs), _COLUMNS) * width, rows * height), "white")
    for position, pair in enumerate(pairs):
        _draw(sheet, pair, (position % _COLUMNS) * width + _GAP, (position // _COLUMNS) * height + _GAP)
    return sheet


def _draw(sheet: Image.Image, pair: dict[str, Any], x: int, y: int) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    sheet.paste(_thumb(pair["path_a"]), (x, y))
    sheet.paste(_turn_back(_thumb(pair["path_b"]), pair["turned"], pair["mirrored"]), (x + _THUMB + _GAP, y))
    for side, left in (("a", x), ("b", x + _THUMB + _GAP)):
        draw.text((left, y + _THUMB + 3), _short(Path(pair[f"path_{side}"]).name), fill=_INK, font=font)
        colour = _ALARM if pair["labels_differ"] else _PALE
        draw.text((left, y + _THUMB + 19), _short(str(pair[f"label_{side}"])), fill=colour, font=font)
    turn = f", turned {pair['turned']:.0f}°" if pair["turned"] % 360 > 2 and pair["turned"] % 360 < 358 else ""
    mirror = ", mirrored" if pair["mirrored"] else ""
    caption = f"{pair['kind']}, similarity {pair['similarity']:.3f}{turn}{mirror}"
    draw.text((x, y + _THUMB + 35), caption, fill=_PALE, font=font)


def _thumb(path: str) -> Image.Image:
    """The central square of an image, which is what was compared."""
    try:
        image = Image.fromarray(read_image(path))
    except UnreadableImageError:
        return Image.new("RGB", (_THUMB, _THUMB), "#e4e7eb")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((_THUMB, _THUMB), Image.Resampling.BILINEAR, box=box)


def _turn_back(image: Image.Image, turned: float, mirrored: bool) -> Image.Image:
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image.rotate(turned, Image.Resampling.BILINEAR, fillcolor="white")


def _short(text: str) -> str:
    return text if len(text) <= 25 else f"{text[:11]}\N{HORIZONTAL ELLIPSIS}{text[-13:]}"
