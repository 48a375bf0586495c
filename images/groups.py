"""Groups: which images belong together, by patient and by content."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..errors import ConfigurationError
from .files import Listing


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


def regroup(listing: Listing, expression: re.Pattern[str]) -> Listing:
    """Take the patients from the paths; rows whose path does not match are refused."""
    part = "patient" if "patient" in expression.groupindex else 1
    rows, refused = [], list(listing.refused)
    for row in listing.rows:
        match = expression.search(row.path)
        if match and match[part]:
            rows.append(replace(row, patient=match[part]))
        else:
            refused.append((row.path, "no patient: the regular expression for the group does not match"))
    return Listing(rows, refused, f"regular expression {expression.pattern}")
