"""A place for runs that are disturbed: images, an experiment of seconds, and what an undisturbed run gives."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml
from fault_forks import Forked

from leukobench.storage import TEMPORARY, process_table

_TIMES = ("selector_s", "fit_s", "predict_s")
_TABLES = (
    *("leaderboard.csv", "comparisons.csv", "classes.csv"),
    *("folds.parquet", "images.parquet", "predictions.parquet"),
)
_PATIENCE_S = 120
_EXTRACTOR = """
import numpy as np

class Means:
    def transform(self, images):
        rows = [np.concatenate([i.mean(axis=(0, 1)), i.std(axis=(0, 1))]) for i in images]
        return np.asarray(rows, dtype=np.float32)
"""


@dataclass
class Row:
    """One row of the published table.

    Attributes
    ----------
    part : str
    tried, held : int
        How many disturbances, and after how many of them everything was as it should be.
    wrong_results : int
        Numbers other than those of an undisturbed run, or something damaged that was read as something else.
    not_resumed : int
        The same command did not go on to the end.
    tracebacks : int
    left_behind : int
        Processes, unfinished files or shared memory that the next run did not clear.
    notes : list of str
        The first of what did not hold, and sizes.
    """

    part: str
    tried: int = 0
    held: int = 0
    wrong_results: int = 0
    not_resumed: int = 0
    tracebacks: int = 0
    left_behind: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, note: str = "", **faults: int) -> None:
        """One more that was tried, and what was wrong with it."""
        self.tried += 1
        self.held += not any(faults.values())
        for name, count in faults.items():
            setattr(self, name, getattr(self, name) + int(count))
        if any(faults.values()):
            self.notes.append(note)
            print(f"{self.part}: {note}", flush=True)

    def to_mapping(self) -> dict[str, Any]:
        """For the table."""
        return {**asdict(self), "notes": "; ".join(self.notes[:3])}


@dataclass
class Ended:
    """How a command ended."""

    status: int
    text: str

    @property
    def traceback(self) -> bool:
        return "Traceback" in self.text


class Place:
    """A folder with images and all that watched runs need.

    Parameters
    ----------
    folder : Path
    images, classifiers : int, list of str
        Of the experiment.
    """

    def __init__(self, folder: Path, images: int = 36, classifiers: tuple[str, ...] = ("naive_bayes", "lda")) -> None:
        from leukobench.images.synthetic import draw_smears

        self.folder, self.faults, self.watch = folder, folder / "faults", folder / "watch"
        self.results = folder / "results"
        self.watch.mkdir(parents=True)
        self.faults.mkdir()
        (self.watch / "trial_extractor.py").write_text(_EXTRACTOR)
        shutil.copy(Path(__file__).with_name("fault_watcher.py"), self.watch / "sitecustomize.py")
        self.images = draw_smears(folder / "images", images=images, patients=12, seed=3, size=64)
        self.experiment = {
            "images": str(self.images),
            "plugins": [str(self.watch)],
            "extractors": ["trial_extractor:Means"],
            "selectors": ["none", {"anova": {"n_features": 3}}],
            "classifiers": list(classifiers),
            "evaluation": {"folds": 2, "resamples": 100, "controls": "off", "views": "off"},
        }
        (folder / "experiment.yaml").write_text(yaml.safe_dump(self.experiment))
        self.expected: Mapping[str, str] = {}
        self.sites: Counter[str] = Counter()
        self.seconds = 0.0

    def environment(self, cache: str, **more: str) -> dict[str, str]:
        """Of a run with a cache folder of its own."""
        own = {
            "LEUKOBENCH_CACHE": str(self.folder / cache),
            "LEUKOBENCH_FAULTS": str(self.faults),
            "PYTHONPATH": str(self.watch),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **own, **more}

    def arguments(self, name: str, workers: int) -> list[str]:
        """The command line of the run called `name`."""
        file = str(self.folder / "experiment.yaml")
        return ["run", file, "--results", str(self.results), "--name", name, "--workers", str(workers)]

    def fork(self, name: str, workers: int = 1, **more: str) -> Forked:
        """Start a run in a fork of this process."""
        environment = self.environment(more.pop("cache", f"cache-{name}"), **more)
        return Forked(self.arguments(name, workers), environment, self.folder)

    def start(self, name: str, workers: int = 2, **more: str) -> subprocess.Popen[str]:
        """Start a run as a user does, in a process group of its own."""
        environment = self.environment(more.pop("cache", f"cache-{name}"), **more)
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        # Also in the background of a shell, which lets what it starts there ignore Ctrl-C.
        hears = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        code = "from leukobench.cli import main; main()"
        command = [sys.executable, "-P", "-c", code, *self.arguments(name, workers)]
        return subprocess.Popen(command, env=environment, start_new_session=True, cwd=self.folder, **pipes, **hears)

    def run(self, name: str, **more: str) -> Ended:
        """A run to its end."""
        return ended(self.fork(name, **more))

    def plan(self, **plan: Any) -> None:
        """What the processes of the next runs do at a write; nothing without an argument."""
        shutil.rmtree(self.faults)
        self.faults.mkdir()
        if plan:
            (self.faults / "plan.json").write_text(json.dumps(plan))

    def writes(self) -> int:
        """How many writes the processes have made under this plan."""
        path = self.faults / "writes"
        return path.stat().st_size if path.exists() else 0

    def expect(self) -> float:
        """Run once undisturbed, and keep what it gives and where it writes; its seconds."""
        if not self.expected:
            self.plan(kind="list")
            begun = time.monotonic()
            ending = self.run("undisturbed")
            assert ending.status == 0, ending.text
            self.seconds = time.monotonic() - begun
            self.expected = contents(self.results / "undisturbed")
            self.sites = Counter((self.faults / "sites").read_text().splitlines())
        self.plan()
        return self.seconds

    def compare(self, name: str) -> list[str]:
        """Tables of the run that are not those of an undisturbed one."""
        tables = contents(self.results / name)
        return [table for table in _TABLES if tables.get(table) != self.expected[table]]

    def finish(self, name: str, **more: str) -> tuple[str, dict[str, int]]:
        """Run to the end after a disturbance; what is wrong, and the faults of a `Row`."""
        ending = self.run(name, **more)
        wrong = self.compare(name) if ending.status == 0 else []
        left = left_behind(self.folder)
        faults = {
            "not_resumed": int(ending.status != 0),
            "wrong_results": int(bool(wrong)),
            "tracebacks": int(ending.traceback),
            "left_behind": int(bool(left)),
        }
        words = [f"status {ending.status}: {ending.text[-200:]}"] if ending.status else []
        return ", ".join([*words, *wrong, *left]), faults

    def forget(self, name: str) -> None:
        """Delete the run and its cache."""
        for folder in (self.results / name, self.folder / f"cache-{name}"):
            shutil.rmtree(folder, ignore_errors=True)


def ended(process: subprocess.Popen[str] | Forked) -> Ended:
    """How a process ends; one that hangs is killed, and so is told."""
    try:
        text, _ = process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        return Ended(-99, f"it hung: {text[-300:]}")
    return Ended(process.returncode, text)


def contents(run: Path) -> dict[str, str]:
    """Digest of each table of a run, but for the times that fits took."""
    digests = {}
    for name in _TABLES:
        if (run / name).exists():
            table = pd.read_parquet(run / name) if name.endswith("parquet") else pd.read_csv(run / name)
            times = [column for column in table if column.startswith(_TIMES)]
            digests[name] = hashlib.sha256(table.drop(columns=times).to_csv(index=False).encode()).hexdigest()
    return digests


def shared_memory() -> frozenset[str]:
    """Names of what processes share in memory."""
    return frozenset(os.listdir("/dev/shm"))


def left_behind(folder: Path, pids: tuple[int, ...] = (), before: frozenset[str] = frozenset()) -> list[str]:
    """Unfinished files below a folder whose process has ended, and new shared memory of ended processes.

    What was there `before` is of earlier processes, whose numbers may be those of new ones.
    """
    table = process_table()
    unfinished = [path.name for path in folder.rglob(f"{TEMPORARY}{table}.*") if "faults" not in path.parts]
    shared = shared_memory() - before if pids else frozenset()
    own = [name for name in shared for pid in pids if f"-{pid}-" in name or f"_{pid}_" in name]
    return unfinished + own


def survivors(processes: list[psutil.Process], within_s: float) -> list[str]:
    """Command lines of those that still work after some seconds; joblib's tracker, which clears up, apart."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    lines = []
    for process in alive:
        try:
            lines.append(" ".join(process.cmdline())[:100])
        except psutil.Error:
            continue
    return [line for line in lines if line and "resource_tracker" not in line]
