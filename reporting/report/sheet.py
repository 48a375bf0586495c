"""A contact sheet as the report holds it."""

from __future__ import annotations

import base64
import io
from pathlib import Path

_WIDTH = 1200


def sheet_data(path: Path) -> str:
    """An image as JPEG in a ``data:`` address, at most 1,200 pixels wide; '' where there is none."""
    from PIL import Image

    if not path.exists():
        return ""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_WIDTH, 100 * _WIDTH))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=80, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode('ascii')}"
