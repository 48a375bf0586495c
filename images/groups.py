"""Groups: which images belong together, by patient and by content."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, ImagesError
from .files import Listing, Row
from .losses import exclusion


def clusters(*keys: np.ndarray) -> np.ndarray:
    """Number items so that two share a number if a chain of equal keys connects them.

    Parameters
    ----------
    *keys : ndarray of str, shape (n,)
        Several keys of each item; an empty string connects nothing.

    Returns
    -------
    ndarray of int64, shape (n,)
        Numbers from 0 in order of first appearance.
    """
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(keys[0])
    items, nodes, offset = [], [], count
    for key in keys:
        code, values = pd.factorize(np.asarray(key, dtype=object))
        keyed = np.flatnonzero(np.asarray(key, dtype=object) != "")
        items.append(keyed)
        nodes.append(code[keyed] + offset)
        offset += len(values)
    row, column = np.concatenate(items), np.concatenate(nodes)
    graph = coo_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:count]
    return pd.factorize(labels)[0].astype(np.int64)


def compile_group(group: str) -> re.Pattern[str]:
    """Return the regular expression for the group, or refuse it with a ConfigurationError."""
    try:
        expression = re.compile(group)
    except re.error as error:
        raise ConfigurationError(
            f"The regular expression for the group is invalid: {error}.", received=group, fix="correct it."
        ) from error
    if not expression.groups:
        raise ConfigurationError(
            "The regular expression for the group has no capture group.",
            expected=r"parentheses around the patient, such as 'patient_(\d+)/'",
            received=group,
            fix="put parentheses around the part of the path that names the patient.",
        )
    return expression


def regroup(listing: Listing, expression: re.Pattern[str], folder: Path) -> Listing:
    """Take the patients from the paths; rows whose path does not match are refused.

    Raises
    ------
    ImagesError
        No path matches, or none of a class does.
    """
    part = "patient" if "patient" in expression.groupindex else 1
    rows, refused = [], []
    for row in listing.rows:
        match = expression.search(row.path)
        if match and match[part]:
            rows.append(replace(row, patient=match[part]))
        else:
            refused.append(row)
    lost = sorted({row.label for row in refused} - {row.label for row in rows})
    if lost:
        what = f"no image of {', '.join(lost)}" if rows else "no image"
        raise ImagesError(
            f"The regular expression for the group finds a patient in {what}.",
            expected=f"a match in every path below {folder}, such as in {_example(refused, lost)}",
            received=expression.pattern,
            fix=f"correct it{f', or leave the class out with {exclusion(lost)}' if rows else ''}.",
        )
    reasons = [(row.path, "no patient: the regular expression for the group does not match") for row in refused]
    warnings = [*listing.warnings]
    if refused:
        counts = f"{len(refused):,} of {len(listing.rows):,} images are left out"
        warnings.append(f"{counts}: {expression.pattern!r} finds no patient in their paths, such as {refused[0].path}.")
    patients = f"regular expression {expression.pattern}"
    return Listing(rows, [*listing.refused, *reasons], patients, tuple(warnings), listing.shape)


def _example(rows: list[Row], labels: list[str]) -> str:
    return next(row.path for row in rows if row.label in labels)
