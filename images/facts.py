"""File facts: what a file shows without its pixels. Where they differ between classes, a classifier can cheat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from .decoding import open_header
from .limits import MAX_PIXELS

FORMATS = ("JPEG", "MPO", "PNG", "BMP", "TIFF", "WEBP")
_CAMERA_TAGS = {"maker": 271, "model": 272, "software": 305, "taken": 306}


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
        ``colour profile`` (bytes), ``metadata`` (bytes of EXIF) and the camera's ``maker``, ``model``, ``software`` and
        ``taken`` (text, '' where absent).
    """
    with open_header(data) as image:
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
        return facts | {name: str(exif.get(tag, "")).strip("\0 ") for name, tag in _CAMERA_TAGS.items()}


def _exif(image: Image.Image) -> Mapping[int, Any]:
    try:
        return image.getexif()
    except Exception:  # of as many kinds as foreign bytes can raise
        return {}


def _subsampling(image: Any) -> str:
    layers = getattr(image, "layer", None) or []
    return " ".join(f"{layer[1]}x{layer[2]}" for layer in layers)


def _resolution(dpi: Any) -> float:
    try:
        return float(dpi[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return 0.0
