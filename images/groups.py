"""Groups: which images belong together, by patient and by content."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, ImagesError
from .files import Listing, Row
from .losses import exclusion

_LONGEST, _LONGEST_S = 1000, 1.0
_PLACES = ("site", "scanner", "batch")
"""Names of groups of an expression that become columns."""
_TRIAL = "import json, re, sys; group, paths = json.load(sys.stdin); [re.search(group, path) for path in paths]"


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


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression.

    Raises
    ------
    ValueError
        It is none, or too long to be one on purpose: thousands of parentheses take minutes.
    """
    if len(pattern) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST:,} characters")
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error


def compile_group(group: str) -> re.Pattern[str]:
    """Return the regular expression for the group, or refuse it with a ConfigurationError."""
    try:
        expression = compiled(group)
    except ValueError as error:
        raise ConfigurationError(
            f"The regular expression for the group is invalid: {error}.", received=group[:80], fix="correct it."
        ) from error
    if not expression.groups:
        raise ConfigurationError(
            "The regular expression for the group has no capture group.",
            expected=r"parentheses around the patient, such as 'patient_(\d+)/'",
            received=group,
            fix="put parentheses around the part of the path that names the patient.",
        )
    return expression


def check_ends(expression: re.Pattern[str], paths: Sequence[str]) -> None:
    """Try the expression in a process that can be ended: some take longer than anybody lives.

    Raises
    ------
    ConfigurationError
        It takes longer than a second and a millisecond a path.
    """
    command, trial = [sys.executable, "-I", "-S", "-c", _TRIAL], json.dumps([expression.pattern, list(paths)])
    try:
        limit = _LONGEST_S + len(paths) / 1000
        subprocess.run(command, input=trial.encode(), timeout=limit, capture_output=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            "The regular expression for the group takes too long.",
            expected="one that is decided at once for every path",
            received=expression.pattern,
            fix=r"write no repetition inside a repetition, such as (\w+)*.",
        ) from error


def regroup(listing: Listing, expression: re.Pattern[str], folder: Path) -> Listing:
    """Take patients, and sites where a group is named so, from the paths; rows whose path does not match are refused.

    The patient is the group called ``patient``, else the first one that is called neither ``site``, ``scanner`` nor
    ``batch``; those are columns. Without a group of the patient, the patients stay as they are.

    Raises
    ------
    ImagesError
        No path matches, or none of a class does.
    """
    check_ends(expression, [row.path for row in listing.rows])
    part, places = _patient_group(expression), [name for name in _PLACES if name in expression.groupindex]
    what = "patient" if part else places[0]
    rows, refused = [], []
    for row in listing.rows:
        match = expression.search(row.path)
        if match and match[part or what]:
            columns = {**row.columns, **{name: match[name] or "" for name in places}}
            rows.append(replace(row, patient=match[part] if part else row.patient, columns=columns))
        else:
            refused.append(row)
    lost = sorted({row.label for row in refused} - {row.label for row in rows})
    if lost:
        where = f"no image of {', '.join(lost)}" if rows else "no image"
        raise ImagesError(
            f"The regular expression for the group finds a {what} in {where}.",
            expected=f"a match in every path below {folder}, such as in {_example(refused, lost)}",
            received=expression.pattern,
            fix=f"correct it{f', or leave the class out with {exclusion(lost)}' if rows else ''}.",
        )
    reasons = [(row.path, f"no {what}: the regular expression for the group does not match") for row in refused]
    warnings = [*listing.warnings]
    if refused:
        counts = f"{len(refused):,} of {len(listing.rows):,} images are left out"
        warnings.append(f"{counts}: {expression.pattern!r} finds no {what} in their paths, such as {refused[0].path}.")
    patients = f"regular expression {expression.pattern}" if part else listing.patients
    refused_files = [*listing.refused, *reasons]
    return replace(listing, rows=rows, refused=refused_files, patients=patients, warnings=tuple(warnings))


def _patient_group(expression: re.Pattern[str]) -> int:
    """Number of the group that is the patient; 0 without one."""
    if "patient" in expression.groupindex:
        return expression.groupindex["patient"]
    others = {expression.groupindex[name] for name in _PLACES if name in expression.groupindex}
    return next((number for number in range(1, expression.groups + 1) if number not in others), 0)


def _example(rows: list[Row], labels: list[str]) -> str:
    return next(row.path for row in rows if row.label in labels)
