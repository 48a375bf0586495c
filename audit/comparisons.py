"""Comparisons: every candidate is verified once; what was compared is kept for the next audit."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ..images.keypoints import KeypointFile, Keypoints, find_keypoints, grey_version
from ..images.reading import read_image
from ..machine import DECIDE_NOTHING, Executor, code_digest
from ..processes.spread import in_order
from ..storage import atomic_path, cache_folder, remove_leftovers
from .candidates import Pairs
from .verification import Match, Picture, verify

if TYPE_CHECKING:
    import pyarrow

Report = Callable[[int, int], None]
Result = tuple[int, int, Match | None]

_IDS = ("image_id_a", "image_id_b")
_PARTS = 16
"""Parts from which they are merged into one."""
_MANY, _TOGETHER = 2_000, 16
"""Pairs that are worth other processes; first images of a piece of their work."""


class Contents(NamedTuple):
    """What is compared: an id and a path for each row of the images."""

    ids: NDArray[np.str_]
    paths: NDArray[np.str_]


def compare_pairs(
    contents: Contents,
    pairs: Pairs,
    equal: NDArray[np.bool_],
    keypoints: KeypointFile,
    report: Report | None = None,
    executor: Executor | None = None,
) -> list[tuple[int, int, Match]]:
    """Verify pairs of rows; a pair that was compared before is not compared again.

    Parameters
    ----------
    contents : Contents
    pairs : ndarray of int64, shape (n, 2)
        Ascending.
    equal : ndarray of bool, shape (n,)
        Pairs with the same checksums of their pixels.
    keypoints : KeypointFile
    report : callable, optional
        Called with pairs done and pairs in all.
    executor : Executor, optional
        Verifies them, where they are many.

    Returns
    -------
    list of (int, int, Match)
        Of the pairs that match, ascending.
    """
    kept, before = _read_kept(contents, pairs)
    waiting = np.flatnonzero(~before)
    results: list[Result] = []
    try:
        for part in _verified(contents, pairs[waiting], equal[waiting], keypoints, executor):
            results += part
            if report:
                report(len(results), len(waiting))
    finally:
        _keep(contents, results)
    return sorted((a, b, match) for a, b, match in [*kept, *results] if match is not None)


def _verified(
    contents: Contents, pairs: Pairs, equal: NDArray[np.bool_], keypoints: KeypointFile, executor: Executor | None
) -> Iterator[list[Result]]:
    """Many pairs are compared in several processes; elsewhere than here they find the keypoints themselves."""
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))[::_TOGETHER].tolist()
    parts = [slice(*ends) for ends in itertools.pairwise([*starts, len(pairs)])]

    def piece(number: int) -> tuple[Any, ...]:
        part = parts[number]
        return _opened(contents, np.unique(pairs[part]), keypoints), pairs[part], equal[part]

    def paths(number: int) -> tuple[Any, ...]:
        part = parts[number]
        rows = np.unique(pairs[part]).tolist()
        return {row: str(contents.paths[row]) for row in rows}, pairs[part], equal[part]

    if executor is None or executor.here:
        yield from in_order(executor if len(pairs) >= _MANY else None, _compare, piece, len(parts))
        return
    for number, results in enumerate(in_order(executor, compare_paths, paths, len(parts))):
        compared = {(a, b) for a, b, _ in results}
        left = np.array([pair not in compared for pair in map(tuple, pairs[parts[number]].tolist())])
        yield results
        if left.any():  # of files that nobody can read, or not that machine
            _, some, same = piece(number)
            yield _compare(_opened(contents, np.unique(some[left]), keypoints), some[left], same[left])


def _opened(contents: Contents, rows: NDArray[np.int64], keypoints: KeypointFile) -> dict[int, tuple[str, Keypoints]]:
    """Path and keypoints of those rows whose file can be read."""
    opened = {}
    for row in rows.tolist():
        path = str(contents.paths[row])
        with contextlib.suppress(UnreadableImageError):
            opened[row] = path, keypoints.of(str(contents.ids[row]), path)
    return opened


def compare_paths(paths: Mapping[int, str], pairs: Pairs, equal: NDArray[np.bool_]) -> list[Result]:
    """Verify pairs of files, whose keypoints are found anew."""
    opened = {}
    for row, path in paths.items():
        with contextlib.suppress(UnreadableImageError):
            opened[row] = path, find_keypoints(grey_version(read_image(path)))
    return _compare(opened, pairs, equal)


def _compare(opened: Mapping[int, tuple[str, Keypoints]], pairs: Pairs, equal: NDArray[np.bool_]) -> list[Result]:
    """Verify pairs, grouped by the first of them; one with a file that cannot be read gives nothing."""
    results: list[Result] = []
    for first, group in itertools.groupby(zip(*pairs.T.tolist(), equal.tolist(), strict=True), itemgetter(0)):
        one = Picture(*opened[first]) if first in opened else None
        for _, second, same in group:
            with contextlib.suppress(UnreadableImageError):
                if one and second in opened:
                    results.append((first, second, verify(one, Picture(*opened[second]), same)))
    return results


def kept_folder() -> Path:
    """Folder of the comparisons that this code made."""
    code = code_digest("audit.verification", apart_from=DECIDE_NOTHING)
    return cache_folder() / "comparisons" / code[:16]


def _read_kept(contents: Contents, pairs: Pairs) -> tuple[list[Result], NDArray[np.bool_]]:
    """Results of those `pairs` that were compared before, and which these are."""
    _, first = np.unique(contents.ids, return_index=True)  # pairs name the first file of several that are identical
    row_of = dict(zip(contents.ids[first].tolist(), first.tolist(), strict=True))
    results: list[Result] = []
    for table in _tables():
        columns = [table.column(name).to_pylist() for name in (*_IDS, *Match._fields)]
        for one, other, *values in zip(*columns, strict=True):
            if one in row_of and other in row_of:
                results.append((row_of[one], row_of[other], Match(*values) if values[0] else None))
    matches = {(a, b): match for a, b, match in results}
    before = np.array([(a, b) in matches for a, b in pairs.tolist()], dtype=bool)
    return [(a, b, matches[a, b]) for a, b in pairs[before].tolist()], before


def _tables() -> Iterator[pyarrow.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for part in sorted(kept_folder().glob("part-*.parquet")):
        try:
            yield pq.read_table(part, columns=[*_IDS, *Match._fields], page_checksum_verification=True)
        except (OSError, pa.ArrowException):
            part.unlink(missing_ok=True)  # compared again


def _keep(contents: Contents, results: Sequence[Result]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not results:
        return
    nothing = Match("", 0.0, 0.0, False)
    columns: dict[str, Any] = {name: [] for name in (*_IDS, *Match._fields)}
    for a, b, match in results:
        values = (str(contents.ids[a]), str(contents.ids[b]), *(match or nothing))
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    folder = kept_folder()
    parts = list(folder.glob("part-*.parquet"))
    merged = parts if len(parts) >= _PARTS else []
    table = pa.concat_tables([pa.table(columns), *(_tables() if merged else ())])
    remove_leftovers(folder)
    with atomic_path(folder / f"part-{uuid.uuid4().hex}.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    for part in merged:
        part.unlink(missing_ok=True)
