"""Runs in MLflow, on a real server of this machine; and what happens without one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import ConfigurationError, TrackingError
from leukobench.runs.finished import FinishedRun
from leukobench.storage import file_digest
from leukobench.studies.track import check_tracking, track

from ..cli.calls import call, call_apart

_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in (2, 3, 4, 5))


needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed here: make test-mlflow")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of ``mlflow server``, with SQLite and artifacts in a folder of this test."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "files")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while not answers(address):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.5)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def fitted(tiny_run: Path, tiny_bundle: Path, tmp_path: Path) -> Path:
    """A run of its own with a bundle."""
    folder = Path(shutil.copytree(tiny_run, tmp_path / "tiny"))
    shutil.copytree(tiny_bundle, folder / "model")
    return folder


def client_of(server: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=server)


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def is_pickled(data: bytes) -> bool:
    """Whether these bytes, or those of a file inside an archive, would be unpickled."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(is_pickled(archive.read(name)) for name in archive.namelist())
    return data.startswith(_PICKLES) or (data.startswith(b"\x93NUMPY") and b"|O" in data[:128])


@pytest.mark.mlflow
@needs_mlflow
def test_one_run_holds_scores_verdict_table_and_files_and_nothing_is_pickled(
    server: str, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, results = contents(fitted), FinishedRun.open(fitted)
    tracked = track(fitted, server, "whole")
    assert contents(fitted) == before
    assert (tracked.change, tracked.run_id in tracked.address) == ("new", True)
    client = client_of(server)
    run = client.get_run(tracked.run_id)
    best, shortcut = results.answer.best, results.answer.shortcut
    assert best is not None
    assert shortcut is not None
    assert run.data.metrics["balanced_accuracy"] == pytest.approx(best.value)
    assert run.data.metrics["balanced_accuracy_corrected"] == pytest.approx(best.corrected)
    assert run.data.params["resolved.images"] == results.resolved["images"]
    assert run.data.tags["leukobench/shortcuts"] == shortcut.words
    assert (run.info.status, shortcut.verdict in run.data.tags["leukobench/verdict"]) == ("FINISHED", True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    table = client.load_table(run.info.experiment_id, "leaderboard.json", [tracked.run_id])
    assert len(table) == len(results.leaderboard)
    assert table["classifier"].tolist() == results.leaderboard["classifier"].tolist()
    files = Path(client.download_artifacts(tracked.run_id, "", str(tmp_path)))
    stored = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    assert {"report.html", "leaderboard.json", "model/manifest.json"} <= stored
    assert contents(files / "model") == contents(fitted / "model")
    assert not [path for path in files.rglob("*") if path.is_file() and is_pickled(path.read_bytes())]


def test_pickles_are_seen_where_there_are_some() -> None:
    import pickle

    import numpy as np

    stream, archive = io.BytesIO(), io.BytesIO()
    np.save(stream, np.array([{}], dtype=object))
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("inside", pickle.dumps({}))
    assert all(is_pickled(data) for data in (pickle.dumps([1]), stream.getvalue(), archive.getvalue()))
    assert not is_pickled(b"{}")


@pytest.mark.mlflow
@needs_mlflow
def test_tracking_again_doubles_nothing_and_adds_a_bundle(server: str, finished_run: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))
    first, second = track(folder, server, "again"), track(folder, server, "again")
    assert (second.run_id, second.change) == (first.run_id, "none")
    (folder / "model").mkdir()
    (folder / "model" / "manifest.json").write_text("{}")
    third = track(folder, server, "again")
    assert (third.run_id, third.change) == (first.run_id, "updated")
    client = client_of(server)
    place = client.get_experiment_by_name("again").experiment_id
    assert len(client.search_runs([place])) == 1
    assert len(client.get_metric_history(first.run_id, "balanced_accuracy")) == 1
    assert "model" in {one.path for one in client.list_artifacts(first.run_id)}
    table = json.loads(Path(client.download_artifacts(first.run_id, "leaderboard.json", str(tmp_path))).read_text())
    assert len(table["data"]) == len(finished_run.results.leaderboard)


@pytest.mark.mlflow
@needs_mlflow
def test_a_run_tracks_itself_when_it_has_ended(server: str, experiment: Any, tmp_path: Path) -> None:
    import yaml

    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(experiment().to_mapping()))
    code, _, words = call_apart("run", file, "--workers", "1", "--track", server)
    assert (code, f"trial is now in MLflow: {server}" in words) == (0, True)
    code, text, _ = call_apart("track", experiment().folder, "--to", server, "--json")
    assert (code, json.loads(text)["runs"][0]["change"]) == (0, "none")
    code, _, words = call_apart("run", file, "--workers", "1", "--track", f"http://127.0.0.1:{free_port()}")
    assert (code, "does not answer" in words) == (2, True)
    assert FinishedRun.open(experiment().folder).answer.best is not None
    assert "127.0.0.1" not in "".join(
        path.read_text() for path in experiment().folder.iterdir() if path.suffix in (".yaml", ".log", ".json")
    )


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(403)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""


@pytest.mark.mlflow
@needs_mlflow
def test_a_server_that_refuses_or_is_absent_is_a_message(finished_run: Any) -> None:
    before = contents(finished_run.folder)
    with HTTPServer(("127.0.0.1", 0), _Refusing) as refusing:
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        for port in (refusing.server_port, free_port()):
            with pytest.raises(TrackingError, match="does not answer, or refuses"):
                track(finished_run.results, f"http://127.0.0.1:{port}")
        refusing.shutdown()
    assert contents(finished_run.folder) == before


@pytest.mark.parametrize("address", ["http://me:secret@host", "http://host/?token=secret", "https://secret@host:5000"])
def test_credentials_in_the_address_are_refused_and_not_shown(address: str, finished_run: Any) -> None:
    code, words = call("track", str(finished_run.folder), "--to", address)
    assert (code, "holds credentials" in words) == (2, True)
    assert "secret" not in words


@pytest.mark.parametrize("address", ["", "sqlite:///runs.db", "localhost:5000", "http://"])
def test_what_is_no_address_is_refused_before_any_work(address: str, tmp_path: Path) -> None:
    for command in (["track", str(tmp_path)], ["run", "--images", str(tmp_path)]):
        option = "--to" if command[0] == "track" else "--track"
        code, words = call(*command, option, address)
        assert (code, "no address of an MLflow server" in words) == (2, True)


def test_without_mlflow_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigurationError, match=r"MLflow is not installed") as caught:
        check_tracking("http://localhost:5000")
    assert "leukobench[mlflow]" in caught.value.fix
