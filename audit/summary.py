"""The audit in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clusters import clusters_of
from .copies import KINDS

if TYPE_CHECKING:
    import pandas as pd

_STRONGEST = 5


def summarise(images: pd.DataFrame, copies: pd.DataFrame, differences: pd.DataFrame) -> dict[str, Any]:
    """Summarise what the audit found.

    Parameters
    ----------
    images : DataFrame
        image_id, label, path.
    copies : DataFrame
        See `leukobench.audit.copies.find_copies`.
    differences : DataFrame
        See `leukobench.audit.differences.class_differences`.

    Returns
    -------
    dict
        ``identical_files``, ``identical_pixels``, ``near_duplicates`` (numbers of superfluous files,
        by kind of copy), ``clusters`` (images that occur more than once), ``label_conflicts`` (images under two labels
        or more), ``words`` (one line), ``lines`` (for the screen) and ``warnings``.
    """
    counts = {kind: int((copies["kind"] == kind).sum()) for kind in KINDS}
    copies = copies[copies["kind"] != KINDS[-1]]
    keys = images.assign(cluster=clusters_of(copies, images))
    clusters = keys[keys["cluster"] != ""].groupby("cluster")["label"].nunique()
    conflicts = int((clusters > 1).sum())
    words = _words(counts, len(clusters), conflicts)
    return {
        "identical_files": counts[KINDS[0]],
        "identical_pixels": counts[KINDS[1]],
        "near_duplicates": counts[KINDS[2]],
        "clusters": len(clusters),
        "label_conflicts": conflicts,
        "words": words,
        "lines": [words, *_facts(differences)],
        "warnings": [_conflict(conflicts)] if conflicts else [],
    }


def _words(counts: dict[str, int], clusters: int, conflicts: int) -> str:
    if not clusters:
        return "Copies: none found."
    files = f"{counts[KINDS[0]]:,} identical file{_s(counts[KINDS[0]])}"
    pixels = f"{counts[KINDS[1]]:,} file{_s(counts[KINDS[1]])} with identical pixels"
    near = f"{counts[KINDS[2]]:,} near-duplicate{_s(counts[KINDS[2]])}"
    repeated = "1 image occurs" if clusters == 1 else f"{clusters:,} images occur"
    labels = f"{conflicts:,} under more than one label" if conflicts else "none under more than one label"
    return f"Copies: {files}, {pixels}, {near}; {repeated} more than once, {labels}. Copies share a group."


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _conflict(count: int) -> str:
    images = "1 image has" if count == 1 else f"{count:,} images have"
    return f"{images} more than one label: which is right cannot be known from here (audit/copies.parquet)."


def _facts(differences: pd.DataFrame) -> list[str]:
    """The facts that separate the classes best, one line each."""
    strongest = differences[~differences["verdict"].isin(["the same everywhere", "much the same"])].head(_STRONGEST)
    classes = [name for name in differences if name not in ("fact", "separation", "verdict")]
    lines = []
    for row in strongest.to_dict("records"):
        values = ", ".join(f"{name} {row[name]}" for name in classes)
        lines.append(f"{row['fact']} {row['verdict']} (separation {row['separation']:.2f}): {values}")
    return lines or ["No file fact or colour differs between the classes by much."]
