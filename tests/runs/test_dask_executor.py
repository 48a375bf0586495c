"""Runs on a Dask cluster: real schedulers and workers, some of which are killed, slow, or of other versions."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from leukobench.errors import ClusterError
from leukobench.machine import Stop

from ..dask_parts import Parts, in_stages

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.dask]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """A scheduler and three workers; the second is slow, and the third has a nanny, as `dask worker` has by default."""
    with Parts(tmp_path_factory.mktemp("dask")) as started:
        started.add("--no-nanny")
        started.add("--no-nanny", SLOW="1")
        started.add()
        started.wait(3)
        yield started


def wait_there(seconds: dict[str, float], number: int, begin: Callable[[str], None]) -> tuple[int, str]:
    """Sleep for as long as the worker that computes it is slow."""
    begin("sleeping")
    slow = os.environ.get("SLOW", "0")
    time.sleep(seconds[slow])
    return number, slow


def end_there(number: int, begin: Callable[[str], None]) -> int:
    """Ends its process the first time, takes too long the second, fails the third."""
    begin(f"step {number}")
    if number == 0:
        os.kill(os.getpid(), 9)
    if number == 1:
        time.sleep(60)
    if number == 2:
        raise ZeroDivisionError("no number")
    return number


def executor_on(address: str, folder: Path, stack: contextlib.ExitStack, **limits: float) -> Any:
    from leukobench.machine import Limits
    from leukobench.runs.dask_cluster import DaskCluster
    from leukobench.runs.dask_executor import DaskExecutor
    from leukobench.runs.folder import RunFolder

    return DaskExecutor(stack.enter_context(DaskCluster(address, RunFolder(folder))), Limits(**limits))


def test_a_slow_worker_holds_up_no_more_than_its_own_piece(parts: Parts, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        executor = executor_on(parts.address, tmp_path, stack)
        assert executor.workers == 3
        list(executor.map(wait_there, [({"0": 0.3, "1": 0.3}, 0)] * 3, lambda position, stop: None))  # processes start
        start, seconds = time.monotonic(), {"0": 0.3, "1": 4.0}
        results = list(executor.map(wait_there, [(seconds, number) for number in range(10)], lambda *_: None))
        took = time.monotonic() - start
    assert sorted(position for position, _ in results) == list(range(10))
    assert sorted(number for _, (number, _) in results) == list(range(10))
    assert [slow for _, (_, slow) in results].count("1") == 1
    assert took < 4 + 2.5


def test_limits_deaths_and_failures_are_those_of_one_machine(parts: Parts, tmp_path: Path) -> None:
    stops = dict[int, Stop]()

    def stopped(position: int, stop: Stop) -> tuple[int] | None:
        stops[position] = stop
        return (3,) if stop.limit else None

    with contextlib.ExitStack() as stack:
        executor = executor_on(parts.address, tmp_path, stack, seconds=2)
        assert sorted(executor.map(end_there, [(0,), (1,)], stopped)) == [(0, None), (1, 3)]
        assert (stops[0].step, dict(stops[0].limit)) == ("step 0", {})
        assert (stops[1].step, dict(stops[1].limit)) == ("step 1", {"seconds": 2})
        with pytest.raises(ZeroDivisionError, match="no number") as caught:
            list(executor.map(end_there, [(2,)], stopped))
        assert "in end_there" in caught.value.__notes__[0]


def test_workers_of_this_machine_are_started_for_a_run_and_end_with_it(tmp_path: Path) -> None:
    from leukobench.runs.executors import on_cluster
    from leukobench.runs.folder import RunFolder

    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with on_cluster("local:2", RunFolder(tmp_path)) as executor:
        assert executor is not None
        assert (executor.workers, executor.shares_folder, executor.shares_cache) == (2, True, True)
        pieces = [({"0": 0.1}, number) for number in range(4)]
        assert sorted(dict(executor.map(wait_there, pieces, lambda position, stop: None))) == [0, 1, 2, 3]
        started = {process.pid for process in psutil.Process().children(recursive=True)} - before
        assert len(started) >= 4
    left = [process for process in psutil.Process().children(recursive=True) if process.pid in started]
    assert not [process for process in left if "tracker" not in " ".join(process.cmdline())]


def test_a_worker_with_another_version_computes_nothing_or_is_refused_by_name(
    parts: Parts, tmp_path: Path, tiny_experiment: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from leukobench.pipeline import run

    facts = tmp_path / "site" / "scikit_learn-1.2.3.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.2.3\n")
    with contextlib.ExitStack() as stack:
        executor = executor_on(parts.address, tmp_path / "begun", stack)
        assert executor.workers == 3
        older = parts.add("--no-nanny", "--name", "older", PYTHONPATH=str(facts.parent), SLOW="older")
        stack.callback(older.wait)
        stack.callback(older.kill)
        parts.wait(4)
        seconds = {"0": 0.1, "1": 0.1, "older": 0.1}
        results = dict(executor.map(wait_there, [(seconds, number) for number in range(12)], lambda *_: None))
        assert {number: done for number, (done, _) in results.items()} == {number: number for number in range(12)}
        assert {slow for _, slow in results.values()} <= {"0", "1"}
        assert "computes nothing" in caplog.text
        with pytest.raises(ClusterError, match=r"tcp://\S+ has scikit-learn 1\.2\.3, this process") as caught:
            run(tiny_experiment(results=tmp_path, executor={"dask": parts.address}))
    assert caught.value.exit_code == 2
    assert not list(tmp_path.glob("tiny/records/*.parquet"))


def test_predictions_are_those_of_one_machine_whatever_workers_are_lost(
    parts: Parts, tmp_path: Path, tiny_experiment: Any, tiny_run: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leukobench.pipeline import run

    computed = shutil.ignore_patterns("features", "comparisons")
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(shutil.copytree(own_cache, tmp_path / "cache", ignore=computed)))
    actions = dict.fromkeys(("measuring", "extracting", "fitting"), parts.end_one)
    experiment = tiny_experiment(results=tmp_path, executor={"dask": parts.address})
    outcome = run(experiment, progress=partial(in_stages, actions))
    assert not actions
    assert [worker.poll() for worker in parts.workers[:3]] == [-9, -9, None]  # the last was restarted by its nanny
    assert (outcome.folder / "predictions.parquet").read_bytes() == (tiny_run / "predictions.parquet").read_bytes()
    assert parts.address not in (outcome.folder / "experiment.yaml").read_text()
    log = (outcome.folder / "run.log").read_text()
    assert f"Dask at {parts.address}: 3 workers with 3 threads; the folder of the run is shared" in log


def test_without_its_scheduler_a_run_ends_clearly_and_goes_on_without_dask(
    parts: Parts, tmp_path: Path, tiny_experiment: Any, tiny_run: Path
) -> None:
    from leukobench.pipeline import run

    experiment = tiny_experiment(results=tmp_path, executor={"dask": parts.address})
    with pytest.raises(ClusterError, match=f"scheduler at {parts.address} was lost.*\n.*again, with or without --dask"):
        run(experiment, progress=partial(in_stages, {"fitting": parts.scheduler.kill}))
    finished = len(list((tmp_path / "tiny" / "records").glob("*.parquet")))
    assert finished
    outcome = run(experiment, executor={}, workers=1)
    assert (outcome.folder / "predictions.parquet").read_bytes() == (tiny_run / "predictions.parquet").read_bytes()
    with pytest.raises(ClusterError, match="No Dask scheduler answers"):
        run(experiment.model_copy(update={"name": "second"}))
    assert run(experiment).reused  # a finished run asks no cluster
