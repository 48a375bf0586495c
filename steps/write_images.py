"""Write images: the tables of the images that are used, and of copies, joined by the row of an image."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..audit.decisions import read_decisions, with_decisions
from ..audit.summary import TABLE
from ..errors import ConfigurationError
from ..runs.folder import RunFolder
from .audit_index import Audited

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_FIRST = ["decision", "kind", "grouped", "reason", "label_a", "label_b", "path_a", "path_b"]


def write_images(audited: Audited, folder: RunFolder) -> None:
    """Write ``images.parquet``, ``audit/copies.parquet``, and the same as CSV with a column for a person's decisions.

    There `row_a` and `row_b` are empty for sealed images. Decisions that were filled in before are kept in the CSV.
    """
    images = audited.index.table()
    folder.write_table("images.parquet", images)
    rows, pairs = images.set_index("path")["row"], audited.pairs
    for place, side in enumerate("ab", start=1):
        pairs = pairs.assign(**{f"row_{side}": pairs[f"path_{side}"].map(rows).astype("Int64")})
        pairs.insert(place, f"row_{side}", pairs.pop(f"row_{side}"))
    folder.write_table("audit/copies.parquet", pairs)
    pairs = _keep_decisions(pairs, images, folder)
    folder.write_table(TABLE, pairs[[*_FIRST, *pairs.columns.difference(_FIRST, sort=False)]])


def _keep_decisions(pairs: pd.DataFrame, images: pd.DataFrame, folder: RunFolder) -> pd.DataFrame:
    """The pairs with the decisions that a person filled in before, although this run need not follow them."""
    import pandas as pd

    before = folder.path / TABLE
    if not before.exists():
        return pairs
    sides = [pairs.filter(regex=f"_{side}$").rename(columns=lambda name: name[:-2]) for side in "ab"]
    named = pd.concat([images, *sides])[["image_id", "path", "label"]]
    try:
        decided = read_decisions(before).of(named, folder.path, strict=False)
    except ConfigurationError:  # not to be read, and not to be lost
        before.replace(before.with_suffix(".old.csv"))
        _log.warning("%s could not be read, and is now called %s.", TABLE, before.with_suffix(".old.csv").name)
        return pairs
    count = int((pairs["decision"] != "").sum())
    kept = with_decisions(pairs, decided, named)
    kept["decision"] = kept["decision"].mask(kept.index.isin(pairs.index[pairs["decision"] != ""]), pairs["decision"])
    if (others := int((kept["decision"] != "").sum()) - count) > 0:
        _log.warning(
            "%s holds %s decisions that are not in use: name it with --copies, or in images.copies.",
            TABLE,
            f"{others:,}",
        )
    return kept
