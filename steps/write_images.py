"""Write images: the tables of the images that are used, and of copies, joined by the row of an image."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
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
    in_use = pairs[pairs["decision"] != ""]
    ends = zip(in_use["image_id_a"], in_use["image_id_b"], in_use["decision"], strict=True)
    used = {(min(one, other), max(one, other)): decision for one, other, decision in ends}
    try:
        earlier = read_decisions(before)
        decided = earlier.of(named, folder.path, strict=False)
    except ConfigurationError:
        set_aside(before)
        return pairs
    if len(decided) < len(earlier.rows) or any(
        used.get(pair, decision) != decision for pair, decision in decided.items()
    ):
        set_aside(before)
    if others := len(decided.keys() - used.keys()):
        words = "%s holds %s decisions that are not in use: name it with --copies, or in images.copies."
        _log.warning(words, TABLE, f"{others:,}")
    return with_decisions(pairs, decided | used, named)


def set_aside(table: Path) -> None:
    """Keep what a person wrote and the next table would not hold."""
    numbers = itertools.count(1)
    target = next(path for number in numbers if not (path := table.with_suffix(f".{number}.csv")).exists())
    table.replace(target)
    _log.warning("%s holds what the next table would not hold: it is kept as %s.", table.name, target.name)
