"""Fixtures of the app's tests: runs, a bundle and the server, each made once."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ..conftest import PLUGIN


@pytest.fixture(scope="session")
def results(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one finished run called ``small``: four combinations of cheap features."""
    from leukobench.config.experiment_file import for_folder
    from leukobench.pipeline import run

    folder = tmp_path_factory.mktemp("app") / "results"
    experiment = for_folder(
        smears,
        name="small",
        results=folder,
        plugins=[PLUGIN],
        extractors=["example_plugin:Colours"],
        selectors=["none", {"anova": {"n_features": 3}}],
        classifiers=["naive_bayes", "lda"],
        evaluation={"folds": 3, "resamples": 100, "controls": "off"},
    )
    run(experiment, workers=1)
    return folder


@pytest.fixture
def shown(results: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the pages are told: the finished run."""
    from leukobench.app.target import find_target

    monkeypatch.setenv("LEUKOBENCH_APP", "")
    target = find_target(results)
    target.publish()
    return target


@pytest.fixture(scope="session")
def model(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one run called ``net`` and its bundle, with pictures of its training images."""
    import leukobench
    from leukobench.config.experiment_file import for_folder

    folder = tmp_path_factory.mktemp("model") / "results"
    experiment = for_folder(
        smears,
        name="net",
        results=folder,
        extractors=["efficientnet_lite0"],
        selectors=["none"],
        classifiers=["lda", "naive_bayes"],
        evaluation={"folds": 3, "resamples": 100, "controls": "off"},
    )
    leukobench.run(experiment, workers=2)
    leukobench.fit(folder / "net", pictures=True, workers=2)
    return folder


class Server:
    """The app as its own process, as `leukobench app` starts it."""

    def __init__(self, target: Path, log: Path, images: Path | None = None) -> None:
        self.log = log
        self.expected: list[str] = []
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        code = (
            "import logging, sys; from pathlib import Path; from leukobench.app.launch import serve; "
            "logging.basicConfig(level=logging.INFO, format='%(message)s'); "
            "serve(Path(sys.argv[1]), list(map(Path, sys.argv[3:])), port=int(sys.argv[2]))"
        )
        command = [sys.executable, "-c", code, str(target), str(port), *([str(images)] if images else [])]
        self.url = f"http://localhost:{port}"
        with log.open("wb") as console:
            self.process = psutil.Popen(command, stdout=console, stderr=console, cwd=log.parent)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def megabytes(self) -> float:
        """Memory that the server holds."""
        return self.process.memory_info().rss / 2**20

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return int(self.process.wait(20))


def check_answer(card: Any, row: Any) -> None:
    """The card of one image shows the class of this prediction, or that it is not to be relied on."""
    from leukobench.app.diagnosis import is_reliable
    from leukobench.serving.output import percent

    if is_reliable(row):
        assert card.locator(".lb-label").inner_text() == f"{row.label} {percent(row.probabilities[row.label])}"
    else:
        assert card.locator(".lb-label").count() == 0
        card.locator(".lb-bad").wait_for()


@pytest.fixture(scope="session")
def server(model: Path, smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app over the folder of runs with the bundle, with one folder of images to run on."""
    running = Server(model, tmp_path_factory.mktemp("server") / "server.log", smears)
    yield running
    assert running.stop() == 0
    assert re.findall(r"^Error (\w+):", running.log.read_text(), re.MULTILINE) == running.expected


@pytest.fixture(scope="session")
def context(browser: Any) -> Any:
    """Where pages are opened: each is a session of its own for the server, but all share the scripts they loaded."""
    return browser.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """Streamlit makes its script ``__main__``, which processes that are spawned later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
