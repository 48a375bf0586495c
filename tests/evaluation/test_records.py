"""Records: what is read is what was written, or nothing."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leukobench.evaluation.records import Record, RecordStore

CLASSES = ["a", "b", "c"]
PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(3), 20)
RECORD = Record(PROBABILITIES, 0.1, 0.2, 0.3, 12, [1, 5], ["narrow"], {"classifier C": 1.0}, 500)


def facts(record: Record) -> dict[str, object]:
    return {name: value for name, value in asdict(record).items() if name != "probabilities"}


def write_without_checksum(path: Path, probabilities: np.ndarray) -> None:
    """As versions wrote it that knew no checksum."""
    path.parent.mkdir(exist_ok=True)
    table = pa.table([pa.array(column) for column in probabilities.T], names=[f"p_{name}" for name in CLASSES])
    metadata = {b"leukobench.record": json.dumps(facts(RECORD)).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, use_dictionary=False, write_page_checksum=True)


def test_no_flipped_bit_is_read_as_something_else(tmp_path: Path) -> None:
    store, path = RecordStore(tmp_path), tmp_path / "key.parquet"
    store.write("key", RECORD, CLASSES)
    whole, refused = path.read_bytes(), 0
    for bit in random.Random(0).sample(range(8 * len(whole)), 250):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        record = store.read("key")
        refused += record is None
        if record is not None:
            np.testing.assert_array_equal(record.probabilities, PROBABILITIES)
            assert facts(record) == facts(RECORD)
    assert refused > 100


def test_a_record_of_a_version_without_checksums_is_read(tmp_path: Path) -> None:
    write_without_checksum(tmp_path / "key.parquet", PROBABILITIES)
    record = RecordStore(tmp_path).read("key")
    assert record is not None
    np.testing.assert_array_equal(record.probabilities, PROBABILITIES)
    assert facts(record) == facts(RECORD)


@pytest.mark.parametrize("value", [2.8e17, -0.5, np.nan, 1e-1])
def test_what_is_no_probability_is_no_record(value: float, tmp_path: Path) -> None:
    wrong = PROBABILITIES.copy()
    wrong[3, 1] += value
    write_without_checksum(tmp_path / "key.parquet", wrong)
    assert RecordStore(tmp_path).read("key") is None
    assert not list(tmp_path.iterdir())


def test_a_failure_keeps_its_error(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.write("key", Record(None, error="no room"), CLASSES)
    record = store.read("key")
    assert record is not None
    assert record.probabilities is None
    assert record.error == "no room"
