"""File facts: what a file shows without its pixels. Where they differ between classes, a classifier can cheat."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from PIL import Image

from .decoding import format_of, open_header
from .limits import MAX_PIXELS
from .png import without_pixels

FORMATS = ("JPEG", "MPO", "PNG", "BMP", "TIFF", "WEBP")
_CAMERA_TAGS = {"maker": 271, "model": 272, "software": 305}
_EXIF_FOLDER, _TAKEN, _DIGITISED, _CHANGED = 0x8769, 36867, 36868, 306
_DATE = re.compile(r"(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)(?:\D+(\d\d?):(\d\d)(?::(\d\d))?)?")


def file_facts(data: bytes) -> dict[str, float | str]:
    """Read the facts of one image file from its header alone.

    Parameters
    ----------
    data : bytes
        The whole file, one that `decode` accepts.

    Returns
    -------
    dict
        ``bytes``, ``width``, ``height`` (pixels), ``bytes per pixel``, ``format``, ``mode`` (Pillow's name of the
        pixels), ``JPEG quantisation`` (mean step of the luma table: small is good quality; 0 for other formats),
        ``JPEG subsampling`` (horizontal x vertical, as text), ``progressive`` (0 or 1), ``dots per inch``,
        ``colour profile`` (bytes), ``metadata`` (bytes of EXIF), the camera's ``maker``, ``model`` and ``software``
        (text, '' where absent) and when it was ``taken`` (days since 1970, 0 where unknown).
    """
    header = without_pixels(data) if format_of(data) == "PNG" else data
    with open_header(header) as image:
        width, height = image.size
        pixels = min(width * height, MAX_PIXELS)
        tables = getattr(image, "quantization", None) or {}
        luma = next(iter(tables.values()), [0])
        exif = _exif(image)
        facts: dict[str, float | str] = {
            "bytes": float(len(data)),
            "width": float(width),
            "height": float(height),
            "bytes per pixel": len(data) / pixels,
            "format": str(image.format),
            "mode": image.mode,
            "JPEG quantisation": float(sum(luma)) / len(luma),
            "JPEG subsampling": _subsampling(image),
            "progressive": float(bool(image.info.get("progressive"))),
            "dots per inch": _resolution(image.info.get("dpi")),
            "colour profile": float(len(image.info.get("icc_profile") or b"")),
            "metadata": float(len(image.info.get("exif") or b"")),
        }
        facts |= {name: str(exif.get(tag, "")).strip("\0 ") for name, tag in _CAMERA_TAGS.items()}
        return facts | {"software": facts["software"] or _png_text(image, "Software"), "taken": _taken(image, exif)}


def _taken(image: Image.Image, exif: Mapping[int, Any]) -> float:
    """When the picture was taken; if it does not say, when it was digitised, or changed last."""
    dates = [*(exif.get(tag) for tag in (_TAKEN, _DIGITISED, _CHANGED)), _png_text(image, "Creation Time")]
    return next((days for date in dates if (days := days_of(str(date or "")))), 0.0)


def days_of(date: str) -> float:
    """Days since 1970 of a date as EXIF or PNG files write it; 0 where it is none."""
    with contextlib.suppress(ValueError, TypeError):
        if parts := _DATE.search(date):
            year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
            moment = datetime(year, month, day, hour, minute, second)
        else:
            moment = parsedate_to_datetime(date).replace(tzinfo=None)
        return (moment - datetime(1970, 1, 1)) / timedelta(days=1)
    return 0.0


def _png_text(image: Image.Image, key: str) -> str:
    text = image.info.get(key)
    return text.strip("\0 ") if isinstance(text, str) else ""


def _exif(image: Image.Image) -> dict[int, Any]:
    """Tags of the file and of the photograph, as far as they can be read."""
    tags: dict[int, Any] = {}
    with contextlib.suppress(Exception):  # of as many kinds as foreign bytes can raise
        exif = Image.Image.getexif(image)  # that of PNG files decodes their pixels first
        tags |= dict(exif)
        tags |= exif.get_ifd(_EXIF_FOLDER)
    return tags


def _subsampling(image: Any) -> str:
    layers = getattr(image, "layer", None) or []
    return " ".join(f"{layer[1]}x{layer[2]}" for layer in layers)


def _resolution(dpi: Any) -> float:
    try:
        return float(dpi[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return 0.0
