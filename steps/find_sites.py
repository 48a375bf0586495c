"""Find sites: the column that says where each image comes from, checked before any work."""

from __future__ import annotations

from collections import Counter

from ..config.experiment import Evaluation
from ..errors import ConfigurationError, visible
from ..evaluation.site_folds import check_sites
from ..images.index import ImageIndex

_OTHERS = ("image_id", "label", "patient", "path", "copies")
"""Columns that are no sites."""
_SHOWN = 12


def sites_of(index: ImageIndex, evaluation: Evaluation) -> list[str] | None:
    """The site of each image; None where no site is left out.

    Raises
    ------
    ConfigurationError
        The images have no such column.
    """
    column = evaluation.leave_out
    if column is None or evaluation.permute:
        return None
    further = [str(name) for name in index.images if name not in _OTHERS]
    if column not in further:
        raise ConfigurationError(
            f"The images have no column '{column}', of which each value could be left out.",
            expected="a column of the manifest, a level of the folders (--layout site/class), or a part of the paths "
            "that a regular expression names (--group '(?P<site>...)')",
            received=f"further columns: {', '.join(further) or 'none'}",
            fix=f"add the column, or set evaluation.leave_out to {' or '.join(further) or 'nothing'}.",
        )
    return [str(site) for site in index.images[column]]


def sites_line(sites: list[str], column: str) -> str:
    """A line of the protocol."""
    sizes = Counter(sites)
    listed = ", ".join(f"{visible(name)} {size:,}" for name, size in sorted(sizes.items())[:_SHOWN])
    more = f" and {len(sizes) - _SHOWN:,} more" if len(sizes) > _SHOWN else ""
    return f"across sites: trained without each {column} in turn, {len(sizes):,} of them (images: {listed}{more})"


def check_site_column(index: ImageIndex, evaluation: Evaluation) -> None:
    """Refuse sites that cannot be left out in turn.

    Raises
    ------
    ConfigurationError, ImagesError
    """
    sites = sites_of(index, evaluation)
    if sites is not None and evaluation.leave_out:
        check_sites(index.images["label"].tolist(), sites, evaluation.leave_out)
