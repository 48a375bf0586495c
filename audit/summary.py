"""The audit in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .copies import KINDS, clusters_of

if TYPE_CHECKING:
    import pandas as pd

_STRONGEST = 5


def summarise(images: pd.DataFrame, copies: pd.DataFrame, differences: pd.DataFrame) -> dict[str, Any]:
    """What the audit found.

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
        ``identical_files``, ``identical_pixels``, ``near_duplicates`` (files that add nothing new, by what gives them
        away), ``clusters`` (pictures that lie there more than once), ``label_conflicts`` (pictures under two labels or
        more), ``words`` (one line), ``lines`` (for the screen) and ``warnings``.
    """
    counts = {kind: int((copies["kind"] == kind).sum()) for kind in KINDS}
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
    lie = "1 picture lies" if clusters == 1 else f"{clusters:,} pictures lie"
    labels = f"{conflicts:,} under more than one label" if conflicts else "none under more than one label"
    return f"Copies: {files}, {pixels}, {near}; {lie} there more than once, {labels}. Copies share a group."


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _conflict(count: int) -> str:
    pictures = "1 picture stands" if count == 1 else f"{count:,} pictures stand"
    return f"{pictures} under more than one label: nobody can know which is true (audit/copies.parquet)."


def _facts(differences: pd.DataFrame) -> list[str]:
    """The facts that tell the classes best, one line each."""
    told = differences[~differences["verdict"].isin(["the same everywhere", "much the same"])].head(_STRONGEST)
    classes = [name for name in differences if name not in ("fact", "separation", "verdict")]
    lines = []
    for row in told.to_dict("records"):
        values = ", ".join(f"{name} {row[name]}" for name in classes)
        lines.append(f"{row['fact']} {row['verdict']} (separation {row['separation']:.2f}): {values}")
    return lines or ["No file fact or colour differs between the classes by much."]
