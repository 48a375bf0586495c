"""Fixtures of all tests: a cache of their own, synthetic smears, a tiny network, its run and bundle, real images."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy and TensorFlow are loaded: one thread a process
    for _library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
    for _threads in ("INTRAOP", "INTEROP"):
        os.environ.setdefault(f"TF_NUM_{_threads}_THREADS", "1")

import pytest
from filelock import FileLock
from joblib.externals.loky import get_reusable_executor

from leukobench.plugins.permission import named_by_user

from .in_process import InProcess
from .plugin.installed import installed
from .s3 import server as s3_server
from .s3 import store

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # so in the background of a shell, and in every process started here
    signal.signal(signal.SIGINT, signal.default_int_handler)

PLUGIN = Path(__file__).parent / "plugin"
_CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--process-per-site"]
_CHROMIUM += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
EXTRACTOR = {"tiny_network:TINY": {"pooling": "multilevel"}}
# 16 pixels are a sixth of the smears' 96: frozen networks would decode these at half their size.
NETWORK: dict[str, Any] = {"size": 16, "filters": [4, 8], "hidden": 8, "epochs": 12, "learning_rate": 0.01}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A process of tests for each core that may be used; each takes about a gigabyte, so eight at most."""
    from leukobench.machine import cores

    return min(cores(), 8)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what all processes of this session make once."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(folder: Path, make: Callable[[Path], Any]) -> Path:
    """The folder, made by the first process that needs it; the others wait."""
    finished = folder.with_name(f"{folder.name}.made")
    with FileLock(f"{folder}.lock"):
        if not finished.exists():
            make(folder)
            finished.touch()
    return folder


@pytest.fixture(autouse=True, scope="session")
def own_cache(shared: Path) -> Path:
    """Tests neither read nor fill the user's cache; converted networks are shared within one session."""
    cache = shared / "cache"
    os.environ["LEUKOBENCH_CACHE"] = str(cache)
    return cache


@pytest.fixture(autouse=True, scope="session")
def fits_in_process() -> Iterator[None]:
    """A run with one worker fits in the process of the tests, which takes no time to start; with more in their own."""
    from leukobench.processes.executors import Processes
    from leukobench.runs import workspace

    def executor(workers: int, limits: Any) -> Any:
        return Processes(workers, limits) if workers > 1 else InProcess(limits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "Processes", executor)
        yield


@pytest.fixture(autouse=True, scope="session")
def own_code() -> Iterator[None]:
    """Allow the modules in ``plugin/``, as if the user named an experiment that names this folder."""
    with named_by_user([PLUGIN]):
        yield


@pytest.fixture
def plugin() -> str:
    """Name of a module of a user's own, which is allowed."""
    return "example_plugin"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a package for one test, here and in processes that it starts; see `installed`."""

    def add(name: str, source: str, entry_points: dict[str, dict[str, str]]) -> Path:
        folder = installed(tmp_path / "site", name, source, entry_points)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", str(folder))
        get_reusable_executor().shutdown()
        return folder

    return add


@pytest.fixture(scope="session")
def smears(shared: Path) -> Path:
    """A folder of 96 small synthetic smears of 24 patients."""
    from leukobench.images.synthetic import draw_smears

    return made_once(shared / "synthetic", lambda folder: draw_smears(folder, images=96, patients=24, seed=1, size=96))


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The ALL images (Aria et al. 2021), where LEUKOBENCH_TEST_IMAGES says they are."""
    named = os.environ.get("LEUKOBENCH_TEST_IMAGES", "")
    if not named or not Path(named).is_dir():
        pytest.skip("LEUKOBENCH_TEST_IMAGES names no folder with the ALL images (Benign, Early, Pre, Pro)")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of an S3 server of this session, which the environment names."""
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> str:
    """Name of a new bucket."""
    name = f"b{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"
    store().mkdir(name)
    return name


@pytest.fixture
def images(smears: Path, tmp_path: Path) -> Path:
    """The smears, to be changed."""
    return Path(shutil.copytree(smears, tmp_path / "images"))


def small_experiment(images: Path, results: Path, /, **settings: Any) -> Any:
    """An experiment with the plug-in's cheap features and few combinations."""
    from leukobench.config.experiment_file import for_folder

    small: dict[str, Any] = {
        "name": "trial",
        "results": results,
        "plugins": [PLUGIN],
        "extractors": ["example_plugin:Colours"],
        "selectors": ["none", {"anova": {"n_features": 3}}],
        "classifiers": ["naive_bayes", "lda"],
        "evaluation": {"folds": 3},
    }
    small |= settings
    small["evaluation"] = {"resamples": 100, "views": "off", "controls": "off"} | small["evaluation"]
    return for_folder(images, **small)


@pytest.fixture
def experiment(images: Path, tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make an experiment over `images` with cheap features and a cache of its own; counts extracted images."""
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COUNT_FILE", str(tmp_path / "seen"))
    return partial(small_experiment, images, tmp_path / "results")


@pytest.fixture(scope="session")
def finished_run(smears: Path, shared: Path) -> Any:
    """The outcome of `small_experiment` over the smears, for tests that only read it."""
    from leukobench.pipeline import Outcome, run
    from leukobench.runs.finished import FinishedRun

    results = made_once(shared / "finished", lambda folder: run(small_experiment(smears, folder), workers=1))
    return Outcome(FinishedRun.open(results / "trial"))


@pytest.fixture(scope="session")
def network_run(smears: Path, shared: Path) -> Path:
    """Folder of a run over colours and a trained network."""
    from leukobench.pipeline import run

    choices = {"selectors": ["none"], "classifiers": ["naive_bayes"]}
    choices["cnns"] = [{"custom_cnn": NETWORK}, "example_plugin:PixelMeans"]
    settings = choices | {"images": {"group": r"synthetic-(P\d+)"}, "evaluation": {"folds": 2}}
    return (
        made_once(shared / "networks", lambda folder: run(small_experiment(smears, folder, **settings), workers=1))
        / "trial"
    )


@pytest.fixture(scope="session")
def tiny_experiment(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make an experiment on the tiny network over `folder`, the smears by default."""
    from leukobench.config.experiment_file import for_folder

    results = tmp_path_factory.mktemp("results")

    def make(folder: Path = smears, **said: Any) -> Any:
        settings = {
            "name": "tiny",
            "results": results,
            "plugins": [PLUGIN],
            "extractors": [EXTRACTOR],
            "selectors": ["none", {"anova": {"n_features": 20}}],
            "classifiers": ["logistic_regression", "svm_linear", "naive_bayes"],
            "evaluation": {"folds": 3, "resamples": 100, "views": "off"},
            "images": {"group": r"synthetic-(P\d+)"},
        }
        settings |= said
        settings["evaluation"] = {"controls": "off"} | settings["evaluation"]
        return for_folder(folder, **settings)

    return make


@pytest.fixture(scope="session")
def tiny_run(tiny_experiment: Any) -> Path:
    """Folder of the finished run."""
    from leukobench.pipeline import run

    return run(tiny_experiment(), workers=1).folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of none x logistic regression, with pictures."""
    from leukobench.bundling.fit import fit

    names = ("tiny_network:TINY(pooling=multilevel)", "none", "logistic_regression")
    return fit(tiny_run, names, tmp_path_factory.mktemp("bundles") / "tiny", pictures=True, workers=1).path


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Append a line to a module of leukobench, or begin it, in a copy of the source that identities follow instead."""
    from leukobench import machine

    def forget() -> None:
        machine._imports.cache_clear()
        machine.imported_modules.cache_clear()

    def append(module: str, line: str = "# edited") -> None:
        source = machine._source(module)
        with source.open("a") as file:
            file.write(f"\n{line}\n")
        forget()

    apart = ("tests", "benchmarks", "docs", "results", "build", "shared", ".*", "*.pyc")
    root = Path(machine.__file__).parent
    monkeypatch.setattr(
        machine, "_PACKAGE", Path(shutil.copytree(root, tmp_path / "source", ignore=shutil.ignore_patterns(*apart)))
    )
    forget()
    yield append
    forget()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium under Playwright: one for all tests, since a process can drive it only once."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=_CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder in the memory of this process: a store that needs no server."""
    from leukobench.remote.objects import file_system

    files = file_system("memory")
    files.store.clear()
    yield "memory://bucket/folder"
    files.store.clear()
