"""The parquet cache of feature vectors: one folder for each extractor identity, rows keyed by the images' SHA-256."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtractionError
from ..storage import checksum, digest, storage_errors
from .cache_files import (
    CacheFile,
    features_folder,
    files_below,
    in_turn,
    set_aside,
    source_of,
    write_identity,
    write_parquet,
)

if TYPE_CHECKING:
    import pyarrow

FORMAT_VERSION = 1
_FIXES = {"float32": "check the weights", "bfloat16": "check the weights, and try precision: float32"}
_OWN_FIX = "correct the code, or the table, that gives these numbers, and run the same command again"
SPEAKS_FOR = {"format": ("features.cache", "features.cache_files", "features.extraction", "features.shards")}
"""Key of every identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""
PART_ROWS = 2048
_IDENTITY, _ROWS_SUM, _NUMBERS_SUM = b"leukobench.identity", b"leukobench.rows", b"leukobench.numbers"
_log = logging.getLogger(__name__)

_IDS = ["image_id"]
_SEEN: dict[tuple[Hashable, bytes], tuple[list[str], pyarrow.Table]] = {}
"""Ids of the parts that were read and are unchanged: opening one with thousands of columns takes long."""


class FeatureCache:
    """Feature vectors of one extractor, on disk as ``part-*.parquet`` (image_id, one float32 column per feature).

    Several processes may append at the same time, without a lock: a part appears whole or not at all, under a unique
    name, and an image that two of them computed counts once. A part that cannot be read, or that another extractor
    wrote, is renamed to ``*.damaged``; its images count as missing. The folder may be in an object store.

    Parameters
    ----------
    root : Path
        Folder of all extractors' caches.
    identity : mapping
        Everything that the numbers depend on; its digest names the folder.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any]) -> None:
        self.identity = {**identity, "format": FORMAT_VERSION}
        self.folder = root / f"{identity.get('name', 'extractor')}-{digest(self.identity)[:16]}"

    @classmethod
    def shared(cls, identity: Mapping[str, Any]) -> FeatureCache:
        """Open the cache of an extractor in the user's cache folder, which all runs share."""
        return cls(features_folder(), identity)

    def image_ids(self) -> set[str]:
        """Ids of the images whose vectors are cached."""
        ids: set[str] = set()
        for _, table in self._tables(_IDS):
            ids.update(table.column("image_id").to_pylist())
        return ids

    def append(self, ids: Sequence[str], vectors: NDArray[np.float32], names: Sequence[str]) -> None:
        """Add one part: `vectors` has shape (len(ids), len(names)), dtype float32.

        Raises
        ------
        ExtractionError
            A vector holds NaN or infinity.
        StorageError
            The disk is full or not writable.
        """
        import pyarrow as pa

        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise ExtractionError(
                f"The extractor gave NaN or infinity for {int((~finite).sum())} of {len(ids)} images.",
                received=f"first for the image with id {ids[int(np.argmin(finite))]}",
                fix=f"{_FIXES.get(str(self.identity.get('precision')), _OWN_FIX)}.",
            )
        write_identity(self.folder, json.dumps(self.identity, indent=2, sort_keys=True))
        columns = [pa.array(ids, pa.string()), *(pa.array(column) for column in np.ascontiguousarray(vectors.T))]
        table = pa.table(columns, names=["image_id", *names])
        sums = {_ROWS_SUM: _rows_sum(table.schema, table), _NUMBERS_SUM: _numbers_sum(table)}
        table = table.replace_schema_metadata({_IDENTITY: self._stamp(), **sums})
        write_parquet(
            self.folder / f"part-{uuid.uuid4().hex}.parquet",
            table,
            compression="zstd",
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        )

    def fill(self, ids: Sequence[str], target: Path) -> list[str]:
        """Write the rows of `ids`, in this order, to the ``.npy`` file `target`; return the ids that are missing.

        One part is in memory at a time. The file has shape (len(ids), features), dtype float32, C order; it is
        complete only when nothing is missing.

        Raises
        ------
        StorageError
            The disk is full or not writable.
        """
        rows: dict[str, list[int]] = {}
        for row, image_id in enumerate(ids):
            rows.setdefault(image_id, []).append(row)
        with storage_errors(target), target.open("wb") as file:
            start = 0
            for names, part in self._tables(None, rows):
                if not start:
                    header = {"descr": "<f4", "fortran_order": False, "shape": (len(ids), len(names))}
                    np.lib.format.write_array_header_2_0(file, header)
                    start = file.tell()
                _copy_rows(part, rows, file, start)
                if not rows:
                    break
        return list(rows)

    def feature_names(self) -> list[str]:
        """Names of the features; empty while nothing is cached."""
        return next((names for names, _ in self._tables(_IDS)), [])

    def _tables(
        self, columns: Collection[str] | None, wanted: Collection[str] = ()
    ) -> Iterator[tuple[list[str], pyarrow.Table]]:
        """Names and rows of each part; those that are known to hold none of the `wanted` ids are passed over."""
        import pyarrow as pa

        files = [file for file in files_below(self.folder) if file.is_part]
        known = [_SEEN[state] for file in files if (state := self._state(file)) in _SEEN] if columns == _IDS else []
        expected = known[0][0] if known else None
        yield from known
        unread = (file for file in files if not self._is_known(file, columns, wanted))
        for file, part in in_turn(unread, lambda file: _read_part(file, columns)):
            try:
                schema, table = part()
            except FileNotFoundError:
                continue
            except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
                _set_aside(file.path, str(error))
                continue
            names = [name for name in schema.names if name != "image_id"]
            expected = expected or names
            if (schema.metadata or {}).get(_IDENTITY) != self._stamp() or names != expected:
                _set_aside(file.path, "written by another extractor")
                continue
            if columns == _IDS:
                _SEEN[self._state(file)] = expected, table
            yield names, table

    def _is_known(self, file: CacheFile, columns: Collection[str] | None, wanted: Collection[str]) -> bool:
        """Whether there is nothing to read in it: its ids were read before, or are none of those that are wanted."""
        if (state := self._state(file)) not in _SEEN:
            return False
        ids = _SEEN[state][1][0]
        return columns == _IDS or bool(wanted and not any(one in wanted for one in ids.to_pylist()))

    def _state(self, file: CacheFile) -> tuple[Hashable, bytes]:
        return file.state, self._stamp()

    def _stamp(self) -> bytes:
        return json.dumps(self.identity, sort_keys=True).encode()


def part_fault(file: CacheFile) -> str:
    """Why a part cannot be read; empty where it is as it was written."""
    import pyarrow as pa

    try:
        _read_part(file, None)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def _read_part(file: CacheFile, columns: Collection[str] | None) -> tuple[pyarrow.Schema, pyarrow.Table]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source_of(file, columns is None), page_checksum_verification=True) as part:
        schema, table = part.schema_arrow, part.read(columns)
    _check(schema, table)
    return schema, table


def _rows_sum(schema: pyarrow.Schema, table: pyarrow.Table) -> bytes:
    """Of what names the numbers: columns, their types, images."""
    words = [schema.names, list(map(str, schema.types)), table.column("image_id").to_pylist()]
    return checksum(json.dumps(words).encode())


def _numbers_sum(table: pyarrow.Table) -> bytes:
    return checksum(*map(np.asarray, table.drop_columns(["image_id"]).columns))


def _check(schema: pyarrow.Schema, table: pyarrow.Table) -> None:
    """Refuse a part that is not as it was written; Parquet's own checksums cover neither names nor types.

    Raises
    ------
    ValueError
    """
    import pyarrow as pa

    metadata = schema.metadata or {}  # parts of earlier versions have no checksums
    numbers = table.num_columns > 1
    rows_right = metadata.get(_ROWS_SUM, expected := _rows_sum(schema, table)) == expected
    if not rows_right or (numbers and _NUMBERS_SUM in metadata and metadata[_NUMBERS_SUM] != _numbers_sum(table)):
        raise ValueError("another checksum")
    if any(kind != pa.float32() for name, kind in zip(schema.names, schema.types, strict=True) if name != "image_id"):
        raise ValueError("features that are no numbers")
    if numbers and not np.isfinite(_values(table)).all():
        raise ValueError("features that are not finite")


def _copy_rows(part: pyarrow.Table, rows: dict[str, list[int]], file: BinaryIO, start: int) -> None:
    """Write the rows that are still wanted from `part` to their places in `file`, and remove them from `rows`."""
    wanted = [(i, image_id) for i, image_id in enumerate(part.column("image_id").to_pylist()) if image_id in rows]
    if not wanted:
        return
    values = np.ascontiguousarray(_values(part), dtype="<f4")
    for i, image_id in wanted:
        for row in rows.pop(image_id, ()):
            file.seek(start + row * values[i].nbytes)
            file.write(values[i].tobytes())


def _values(part: pyarrow.Table) -> NDArray[np.float32]:
    return np.column_stack([column.to_numpy() for column in part.drop_columns(["image_id"]).columns])


def _set_aside(path: Path, reason: str) -> None:
    _log.warning("Damaged cache file renamed, its images are computed again: %s (%s)", path.name, reason)
    set_aside(path)
