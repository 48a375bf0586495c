"""A run on Dask with images and features in an object store: it loses a worker, then its scheduler, and goes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("s3fs")
pytest.importorskip("distributed")

from leukobench.errors import ClusterError
from leukobench.pipeline import run

from .conftest import small_experiment
from .dask_parts import Parts, can_hide, in_stages
from .s3 import upload

pytestmark = [pytest.mark.slow, pytest.mark.s3, pytest.mark.dask]


def test_a_run_that_lost_a_worker_and_its_scheduler_ends_with_the_same_predictions(
    smears: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(smears, f"{bucket}/smears")
    monkeypatch.setenv("LEUKOBENCH_CACHE", f"s3://{bucket}/cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    (results := tmp_path / "results").mkdir()
    hidden = results if can_hide(results) else None
    images: Any = f"s3://{bucket}/smears"
    with Parts(tmp_path) as parts:
        parts.add("--no-nanny", hidden=hidden)
        parts.add("--no-nanny", hidden=hidden)
        parts.wait(2)
        actions = {"measuring": parts.end_one, "fitting": parts.scheduler.kill}
        there = small_experiment(images, results, name="there", executor={"dask": parts.address})
        with pytest.raises(ClusterError, match="was lost"):
            run(there, progress=partial(in_stages, actions))
        assert not actions
        assert [worker.poll() for worker in parts.workers] == [-9, None]
    (tmp_path / "second").mkdir()
    with Parts(tmp_path / "second") as parts:
        parts.add("--no-nanny", hidden=hidden)
        parts.wait(1)
        resumed = run(there, executor={"dask": parts.address}).folder
    log = (resumed / "run.log").read_text()
    assert f"the folder of the run is {'not ' if hidden else ''}shared, the cache shared" in log
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    here = run(small_experiment(images, results, name="here"), workers=1).folder
    assert (resumed / "predictions.parquet").read_bytes() == (here / "predictions.parquet").read_bytes()
