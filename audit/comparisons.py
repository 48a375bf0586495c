"""Comparisons: every candidate is verified once; what was compared is kept for the next audit."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ..images.keypoints import KeypointFile
from ..machine import DECIDE_NOTHING, code_digest
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
    threads: int = 1,
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
    threads : int

    Returns
    -------
    list of (int, int, Match)
        Of the pairs that match, ascending.
    """
    kept, before = _read_kept(contents, pairs)
    waiting = np.flatnonzero(~before)
    results: list[Result] = []
    try:
        for result in _verified(contents, pairs[waiting], equal[waiting], keypoints, threads):
            results.append(result)
            if report:
                report(len(results), len(waiting))
    finally:
        _keep(contents, [result for result in results if result is not None])
    return sorted((a, b, match) for a, b, match in [*kept, *results] if match is not None)


def _verified(
    contents: Contents, pairs: Pairs, equal: NDArray[np.bool_], keypoints: KeypointFile, threads: int
) -> Iterator[Result]:
    """Threads compare one image each with all its candidates; a pair with a file that cannot be read gives nothing."""
    from threadpoolctl import threadpool_limits

    def compare(first: int, others: Sequence[tuple[int, bool]]) -> list[Result]:
        one, results = _picture(contents, first, keypoints), []
        for second, same in others:
            other = _picture(contents, second, keypoints)
            with contextlib.suppress(UnreadableImageError):
                if one and other:
                    results.append((first, second, verify(one, other, same)))
        return results

    listed = zip(pairs[:, 0].tolist(), zip(pairs[:, 1].tolist(), equal.tolist(), strict=True), strict=True)
    tasks = [(first, [other for _, other in group]) for first, group in itertools.groupby(listed, lambda pair: pair[0])]
    with threadpool_limits(1), ThreadPoolExecutor(threads, thread_name_prefix="copies") as pool:
        try:
            for results in pool.map(lambda task: compare(*task), tasks):
                yield from results
        finally:
            pool.shutdown(cancel_futures=True)


def _picture(contents: Contents, row: int, keypoints: KeypointFile) -> Picture | None:
    path = str(contents.paths[row])
    try:
        return Picture(path, keypoints.of(str(contents.ids[row]), path))
    except UnreadableImageError:
        return None


def kept_folder() -> Path:
    """Folder of the comparisons that this code made."""
    code = code_digest("audit.verification", apart_from=DECIDE_NOTHING)
    return cache_folder() / "comparisons" / code[:16]


def _read_kept(contents: Contents, pairs: Pairs) -> tuple[list[Result], NDArray[np.bool_]]:
    """Results of those `pairs` that were compared before, and which these are."""
    row_of = {image_id: row for row, image_id in enumerate(contents.ids.tolist())}
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
