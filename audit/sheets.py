"""Contact sheets: copies side by side, to check by eye."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ..errors import UnreadableImageError
from ..images.reading import read_image
from ..storage import atomic_path, digest
from .copies import KINDS

if TYPE_CHECKING:
    import pandas as pd

THUMB, _GAP, _CAPTION = 180, 8, 70
_COLUMNS, _ROWS = 3, 4
INK, PALE, ALARM, _EMPTY = "#1f2933", "#52606d", "#b91c1c", "#e4e7eb"
QUICK = 3
"""Level of compression: the best takes ten times as long for a tenth less."""
_VERSION = 1
"""Of how sheets are drawn."""
_REACH = 10
"""Of an elongated image, so many times its short side is read for a thumbnail."""


def draw_sheets(copies: pd.DataFrame, folder: Path, limit: int) -> list[Path]:
    """Write ``copies-1.png`` and so on, and ``looks-alike-1.png`` with the pairs that only look alike.

    Twelve pairs a sheet, the second image turned, zoomed and shifted onto the first. Pairs under two labels come first,
    then those that hold a group together, each the least similar first.

    Parameters
    ----------
    copies : DataFrame
        See `leukobench.audit.clusters.group_pairs`.
    folder : Path
        Sheets of an earlier audit stay where they show the same pairs, and are deleted elsewhere.
    limit : int
        Sheets of each sort at most.

    Returns
    -------
    list of Path
    """
    alike = copies["kind"] == KINDS[-1]
    sheets = []
    for name, rows in (("copies", copies[~alike]), ("looks-alike", copies[alike])):
        pairs = _deciding_first(rows).to_dict("records")[: limit * _COLUMNS * _ROWS]
        drawn = []
        for start in range(0, len(pairs), _COLUMNS * _ROWS):
            drawn.append(folder / f"{name}-{start // (_COLUMNS * _ROWS) + 1}.png")
            _write_sheet(pairs[start : start + _COLUMNS * _ROWS], drawn[-1])
        for old in set(folder.glob(f"{name}-*.png")) - set(drawn):
            old.unlink()
        sheets += drawn
    return sheets


def _write_sheet(pairs: list[Any], target: Path) -> None:
    shown = digest([_VERSION, pairs])
    if _shown_on(target) == shown:
        return
    info = PngInfo()
    info.add_text("pairs", shown)
    with atomic_path(target) as temporary:
        _sheet(pairs).save(temporary, "PNG", compress_level=QUICK, pnginfo=info)


def _shown_on(sheet: Path) -> str | None:
    """Digest of the pairs that a sheet of an earlier audit shows."""
    with contextlib.suppress(OSError, SyntaxError, ValueError), Image.open(sheet) as image:
        return str(image.info.get("pairs"))
    return None


def _deciding_first(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs that connect what more similar ones do not come before the others: a false one among them joins groups."""
    from scipy.cluster.hierarchy import DisjointSet

    joined: DisjointSet = DisjointSet({*pairs["path_a"], *pairs["path_b"]})
    ranked = pairs.sort_values("similarity", ascending=False, kind="stable")
    ends = zip(ranked.index.tolist(), ranked["path_a"].tolist(), ranked["path_b"].tolist(), strict=True)
    deciding = [row for row, one, other in ends if joined.merge(one, other)]
    order = pairs.assign(deciding=pairs.index.isin(deciding))
    return order.sort_values(["labels_differ", "deciding"], ascending=False, kind="stable").drop(columns="deciding")


def _sheet(pairs: list[Any]) -> Image.Image:
    width, height = 2 * THUMB + 4 * _GAP, THUMB + _CAPTION + 2 * _GAP
    rows = -(-len(pairs) // _COLUMNS)
    sheet = Image.new("RGB", (min(len(pairs), _COLUMNS) * width, rows * height), "white")
    for position, pair in enumerate(pairs):
        _draw(sheet, pair, (position % _COLUMNS) * width + _GAP, (position // _COLUMNS) * height + _GAP)
    return sheet


def _draw(sheet: Image.Image, pair: dict[str, Any], x: int, y: int) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    first = _read(pair["path_a"])
    sheet.paste(_onto_first(first, {}, first), (x, y))
    sheet.paste(_onto_first(_read(pair["path_b"]), pair, first), (x + THUMB + _GAP, y))
    for side, left in (("a", x), ("b", x + THUMB + _GAP)):
        draw.text((left, y + THUMB + 3), shortened(Path(pair[f"path_{side}"]).name), fill=INK, font=font)
        colour = ALARM if pair["labels_differ"] else PALE
        draw.text((left, y + THUMB + 19), shortened(str(pair[f"label_{side}"])), fill=colour, font=font)
    draw.text((x, y + THUMB + 35), _caption(pair), fill=PALE, font=font)
    reason = pair.get("reason", "")
    words = "" if pair.get("grouped", True) and not reason else f"{'' if pair['grouped'] else 'not '}grouped"
    draw.text((x, y + THUMB + 51), f"{words}: {reason}" if reason else words, fill=ALARM, font=font)


def _caption(pair: dict[str, Any]) -> str:
    placed = _placed(pair)
    similar = "" if math.isnan(pair["similarity"]) else f" {pair['similarity']:.3f}"
    turn = f", turned {placed['turned']:.0f}°" if 2 < placed["turned"] % 360 < 358 else ""
    mirror = ", mirrored" if pair["mirrored"] else ""
    zoom = f", zoom {placed['zoom']:.2f}" if abs(placed["zoom"] - 1) >= 0.02 else ""
    shift = ", shifted" if max(abs(placed["shift_x"]), abs(placed["shift_y"])) >= 0.02 else ""
    return f"{pair['kind']}{similar}{turn}{mirror}{zoom}{shift}"


def _placed(pair: dict[str, Any]) -> dict[str, float]:
    """Turn, zoom and shift of the second image; what is not known is none."""
    plain = {"turned": 0.0, "zoom": 1.0, "shift_x": 0.0, "shift_y": 0.0}
    values = {name: float(pair.get(name, value)) for name, value in plain.items()}
    return {name: value if math.isfinite(value) else plain[name] for name, value in values.items()}


def _read(path: str) -> Image.Image | None:
    """The middle of an image, reduced so that its short side is a thumbnail."""
    try:
        image = Image.fromarray(read_image(path))
    except UnreadableImageError:
        return None
    side = min(image.size)
    width, height = (min(length, _REACH * side) for length in image.size)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    size = (max(THUMB, round(width * THUMB / side)), max(THUMB, round(height * THUMB / side)))
    return image.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))


def thumbnail(path: str) -> Image.Image:
    """The central square of an image, `THUMB` wide; a grey square where it cannot be read."""
    image = _read(path)
    return _onto_first(image, {}, image)


def _onto_first(image: Image.Image | None, pair: dict[str, Any], first: Image.Image | None) -> Image.Image:
    """The central square of the first image, as `image` shows it where it is laid on that one."""
    if image is None:
        return Image.new("RGB", (THUMB, THUMB), _EMPTY)
    placed = _placed(pair)
    width, height = first.size if first else image.size
    angle, area = math.radians(placed["turned"]), image.width * image.height / (width * height)
    size = placed["zoom"] * math.sqrt(area)  # the zoom is that of images scaled to one area
    x, y = (THUMB / 2 + placed["shift_x"] * width, THUMB / 2 + placed["shift_y"] * height)
    flip = -1 if pair.get("mirrored") else 1
    a, b = size * math.cos(angle), -size * math.sin(angle)
    d, e = flip * size * math.sin(angle), flip * size * math.cos(angle)
    matrix = (a, b, image.width / 2 - a * x - b * y, d, e, image.height / 2 - d * x - e * y)
    affine = Image.Transform.AFFINE
    return image.transform((THUMB, THUMB), affine, matrix, Image.Resampling.BILINEAR, fillcolor="white")


def shortened(text: str) -> str:
    """As much of a text as fits under a thumbnail."""
    return text if len(text) <= 25 else f"{text[:11]}\N{HORIZONTAL ELLIPSIS}{text[-13:]}"
