"""Records: one atomic parquet file per combination and fold, so that a killed run loses nothing that was finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..storage import atomic_path, checksum

if TYPE_CHECKING:
    import pyarrow as pa

COSTS = ("selector_s", "fit_s", "predict_s", "features", "model_bytes", "parameters")
"""Of the fields of a `Record`: what a combination costs in a fold, in the tables of scores."""
SECONDS = SELECTOR_S, FIT_S, PREDICT_S = COSTS[:3]

_METADATA, _CHECKSUM = b"leukobench.record", b"leukobench.checksum"
_TOLERANCE = 1e-3
"""By how much probabilities may leave 0 to 1, and their sums 1, as for what a classifier gives."""


@dataclass(frozen=True)
class Record:
    """What one combination did in one fold.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (test images, classes), or None after a failure
    selector_s, fit_s, predict_s : float
        Seconds to fit the selector (shared by the fold's classifiers), to fit the classifier, to predict the fold.
    features : int
        Number of features that reached the classifier.
    support : list of int
        Columns that the selector kept; empty where it makes new features.
    warnings : list of str
    tuned : dict
        Searched parameters and the values that were chosen, as ``"classifier C"``.
    model_bytes : int
        Size of the fitted selector and classifier when stored.
    parameters : int
        Weights of a network that was trained here, else 0.
    curve : list of dict
        Its learning curve, one entry an epoch.
    error : str
        Traceback of a failure, or why it was stopped in one line; else empty.
    limit : dict
        Seconds or memory that it exceeded, where it was stopped for that.
    """

    probabilities: NDArray[np.float64] | None
    selector_s: float = 0.0
    fit_s: float = 0.0
    predict_s: float = 0.0
    features: int = 0
    support: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tuned: dict[str, Any] = field(default_factory=dict)
    model_bytes: int = 0
    parameters: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    limit: dict[str, float] = field(default_factory=dict)


class RecordStore:
    """Records in one folder, found by their key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, key: str, record: Record, classes: Sequence[str]) -> None:
        """Write a record; a reader sees all of it or nothing."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        values = record.probabilities if record.probabilities is not None else np.empty((0, len(classes)))
        facts = {name: value for name, value in asdict(record).items() if name != "probabilities"}
        table = pa.table([pa.array(column) for column in values.T], names=[f"p_{name}" for name in classes])
        text = json.dumps(facts).encode()
        metadata = {_METADATA: text, _CHECKSUM: _checksum(table, text)}
        with atomic_path(self._path(key)) as temporary:
            pq.write_table(
                table.replace_schema_metadata(metadata),
                temporary,
                use_dictionary=False,
                write_statistics=False,
                write_page_checksum=True,
            )

    def read(self, key: str) -> Record | None:
        """The record, or None where there is none that can be read whole; a damaged one is deleted."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(key)
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                return _record(file.read())
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError):
            path.unlink(missing_ok=True)
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"


def _checksum(table: pa.Table, facts: bytes) -> bytes:
    """Of everything that `_record` reads; Parquet's own covers the pages of numbers, but not names, types or facts."""
    columns = (np.asarray(column) for column in table.columns)
    return checksum(str(table.schema.types).encode(), json.dumps(table.schema.names).encode(), facts, *columns)


def _record(table: pa.Table) -> Record:
    """What a file holds.

    Raises
    ------
    ValueError, KeyError, TypeError
        It is not as it was written; records of earlier versions have no checksum.
    """
    metadata = table.schema.metadata
    text = metadata[_METADATA]
    if metadata.get(_CHECKSUM, expected := _checksum(table, text)) != expected:
        raise ValueError("another checksum")
    facts = json.loads(text)
    if facts["error"]:
        return Record(None, **facts)
    values = np.column_stack([column.to_numpy() for column in table.columns])
    sums = values.sum(axis=1)
    right = (values >= -_TOLERANCE).all() and (np.abs(sums - 1) <= _TOLERANCE).all()  # False for NaN
    if values.dtype != np.float64 or not len(values) or not right:
        raise ValueError("no probabilities")
    return Record(values, **facts)
