"""Write images: the tables of the images that are used, and of copies, joined by the row of an image."""

from __future__ import annotations

from ..runs.folder import RunFolder
from .audit_index import Audited


def write_images(audited: Audited, folder: RunFolder) -> None:
    """Write ``images.parquet`` and ``audit/copies.parquet``; there `row_a` and `row_b` are empty for sealed images."""
    images = audited.index.table()
    folder.write_table("images.parquet", images)
    rows, pairs = images.set_index("path")["row"], audited.pairs
    for place, side in enumerate("ab", start=1):
        pairs = pairs.assign(**{f"row_{side}": pairs[f"path_{side}"].map(rows).astype("Int64")})
        pairs.insert(place, f"row_{side}", pairs.pop(f"row_{side}"))
    folder.write_table("audit/copies.parquet", pairs)
