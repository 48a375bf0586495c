"""``predictions.parquet``, read one combination at a time, whatever its size and its order of row groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError
from ..evaluation.combination_names import NAMES, Names

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_NAMED = (*NAMES, "kind")


class Span(NamedTuple):
    """Rows of a row group that are of one combination."""

    group: int
    start: int
    stop: int


class PredictionFile:
    """Rows of ``predictions.parquet`` by combination; what is in memory is one row group.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StorageError
        It is damaged, or lacks a column.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path, read_dictionary=list(_NAMED))
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"{path} is damaged.", expected="a table of predictions", received=str(error)) from error
        self.path = path
        self.columns = list(self._file.schema_arrow.names)
        if lacking := {*_NAMED, "row", "repeat"} - set(self.columns):
            raise StorageError(
                f"{path} is no table of predictions.",
                expected="a column of that name",
                received=f"no {sorted(lacking)[0]}",
            )
        self._held: tuple[int, Any] = (-1, None)

    @cached_property
    def combinations(self) -> dict[tuple[Names, str], list[Span]]:
        """Names and kind -> where its rows are, in the order of the file: that of the run's grid."""
        spans: dict[tuple[Names, str], list[Span]] = {}
        for group in range(self._file.num_row_groups):
            table = self._file.read_row_group(group, columns=list(_NAMED))
            codes, texts = zip(*(_encoded(table[name]) for name in _NAMED), strict=True)
            changes = np.flatnonzero((np.diff(np.array(codes), axis=1) != 0).any(axis=0)) + 1
            edges = [0, *changes.tolist(), table.num_rows]
            for start, stop in pairwise(edges):
                if stop > start:
                    extractor, selector, classifier, kind = (
                        text[code[start]] for code, text in zip(codes, texts, strict=True)
                    )
                    spans.setdefault(((extractor, selector, classifier), kind), []).append(Span(group, start, stop))
        return spans

    def read(self, spans: Sequence[Span]) -> pd.DataFrame:
        """The rows at these places, without the names."""
        import pyarrow as pa

        return pa.concat_tables(
            [self._group(one.group).slice(one.start, one.stop - one.start) for one in spans]
        ).to_pandas()

    def probabilities(self, names: Names, classes: Sequence[str], shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Out-of-fold probabilities of a combination, shape (repeats, n, K), of rows that were checked before."""
        spans = next(spans for (own, _), spans in self.combinations.items() if own == names)
        table = self.read(spans)
        values = np.full((*shape, len(classes)), np.nan)
        own = table[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64)
        values[table["repeat"].to_numpy(), table["row"].to_numpy()] = own
        return values

    def _group(self, number: int) -> pa.Table:
        if self._held[0] != number:
            wanted = [name for name in self.columns if name not in _NAMED]
            self._held = number, self._file.read_row_group(number, columns=wanted)
        return self._held[1]


def _encoded(column: Any) -> tuple[np.ndarray, list[str]]:
    import pyarrow as pa

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    merged = encoded.unify_dictionaries().combine_chunks()
    merged = merged.chunk(0) if isinstance(merged, pa.ChunkedArray) else merged
    return merged.indices.to_numpy(zero_copy_only=False), [str(text) for text in merged.dictionary.to_pylist()]
