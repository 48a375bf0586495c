"""The audit in words and numbers."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from .clusters import PATIENTS, UNSURE, WEAK, clusters_of, labels_in_conflict, most_images, superfluous, sure_pairs
from .copies import KINDS
from .difference_words import difference_lines

if TYPE_CHECKING:
    import pandas as pd

TABLE = "audit/copies.csv"


def summarise(
    images: pd.DataFrame,
    copies: pd.DataFrame,
    differences: pd.DataFrame,
    setting: str = "group",
    label_conflicts: str = "leave_out",
) -> dict[str, Any]:
    """Summarise what the audit found.

    Parameters
    ----------
    images : DataFrame
        image_id, label, path.
    copies : DataFrame
        See `leukobench.audit.clusters.group_pairs`.
    differences : DataFrame
        See `leukobench.audit.differences.class_differences`.
    setting, label_conflicts : str
        ``images.copies`` and ``images.label_conflicts`` of the experiment.

    Returns
    -------
    dict
        ``identical_files``, ``identical_pixels``, ``near_duplicates`` (numbers of superfluous files,
        by kind of copy; pairs that a person confirmed count as near-duplicates), ``clusters`` (images that occur more
        than once), ``label_conflicts`` (images under two labels or more), ``left_out`` (files of these that are left
        out), ``looks_alike`` (pairs that are not sure), ``setting``, ``words`` (one line), ``lines`` (for the screen)
        and ``warnings``. Pairs that only look alike, and those that are not grouped for another reason than the
        setting, are no copies in the other numbers.
    """
    sure = sure_pairs(copies)
    counts = superfluous(sure)
    keys = images.assign(cluster=clusters_of(sure, images))
    clusters = keys[keys["cluster"] != ""].groupby("cluster")["label"].nunique()
    conflicts = int((clusters > 1).sum())
    left_out = sum(map(bool, labels_in_conflict(copies, images))) if label_conflicts == "leave_out" else 0
    alike = int((copies["reason"] == UNSURE).sum())
    sentences = [_words(counts, len(clusters), conflicts, setting), *_left_out(left_out), *_alike(alike)]
    return {
        "identical_files": counts[KINDS[0]],
        "identical_pixels": counts[KINDS[1]],
        "near_duplicates": counts[KINDS[2]],
        "clusters": len(clusters),
        "label_conflicts": conflicts,
        "left_out": left_out,
        "looks_alike": alike,
        "setting": setting,
        "words": " ".join(sentences),
        "lines": [*sentences, *difference_lines(differences)],
        "warnings": [*_conflict(conflicts), *_across_patients(copies), *_large(keys), *_cut(copies)],
    }


def _words(counts: dict[str, int], clusters: int, conflicts: int, setting: str) -> str:
    if setting == "off" and not clusters:
        return "Copies: not looked for."
    if not clusters:
        return "Copies: none found."
    kinds = [
        _count(counts[KINDS[0]], "identical file"),
        _count(counts[KINDS[1]], "file", " with identical pixels"),
        _count(counts[KINDS[2]], "near-duplicate", " (whole or in part)"),
    ]
    listed = ", ".join(kinds) if setting != "off" else f"{kinds[0]}, others not looked for"
    repeated = "1 image occurs" if clusters == 1 else f"{clusters:,} images occur"
    labels = f"{conflicts:,} under more than one label" if conflicts else "none under more than one label"
    together = "Only identical files share a group." if setting in ("list", "off") else "Copies share a group."
    return f"Copies: {listed}; {repeated} more than once, {labels}. {together}"


def _count(count: int, noun: str, rest: str = "") -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}{rest}"


def _left_out(count: int) -> list[str]:
    files = f"The {count:,} files of images under more than one label are left out of training and scores"
    return [f"{files} (ledger.parquet; images.label_conflicts: keep keeps them)."] if count else []


def _alike(count: int) -> list[str]:
    pairs = "1 pair looks alike and is" if count == 1 else f"{count:,} pairs look alike and are"
    return [f"{pairs} not grouped: {TABLE}."] if count else []


def _conflict(count: int) -> list[str]:
    images = "1 image has" if count == 1 else f"{count:,} images have"
    return [f"{images} more than one label: which is right cannot be known from here ({TABLE})."] if count else []


def _across_patients(copies: pd.DataFrame) -> list[str]:
    across = copies[copies["reason"] == PATIENTS]
    apart, together = int((~across["grouped"]).sum()), int(across["grouped"].sum())
    differing = f"patients that are known to differ ({TABLE}, reason: {PATIENTS})"
    lines = []
    if apart:
        lines.append(
            f"{_count(apart, 'pair')} of copies would join {differing}: not grouped; a patient or a pair is wrong."
        )
    if together:
        join = "joins" if together == 1 else "join"
        lines.append(
            f"{_count(together, 'pair')} of identical or confirmed copies {join} {differing}: they share a group. "
            "Placeholders can be left out with --exclude-files."
        )
    return lines


def _large(keys: pd.DataFrame) -> list[str]:
    """Clusters of more images than copies are expected of one."""
    sizes = keys[keys["cluster"] != ""].groupby("cluster")["path"].agg(["size", "min"])
    large = sizes[sizes["size"] > most_images(len(keys))].sort_values(["size", "min"], ascending=[False, True])
    if not len(large):
        return []
    size, path = large.iloc[0]
    others = f", and {len(large) - 1:,} other more than {most_images(len(keys)):,} times" if len(large) > 1 else ""
    return [
        f"One image is said to occur {size:,} times among {len(keys):,}, such as {PurePath(path).name}{others}: "
        f"look at audit/sheets, and reject the pairs that are no copies ({TABLE})."
    ]


def _cut(copies: pd.DataFrame) -> list[str]:
    """Large clusters that were not made."""
    cut = copies[copies["reason"] == WEAK]
    if not len(cut):
        return []
    first = cut.iloc[0]
    names = " and ".join(PurePath(first[f"path_{side}"]).name for side in "ab")
    return [
        f"{_count(len(cut), 'pair')} would chain many images into one group, and "
        f"{'is' if len(cut) == 1 else 'are'} not grouped, such as {names} ({TABLE}, reason: {WEAK})."
    ]
