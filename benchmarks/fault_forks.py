"""Runs in a fork of this process, which has imported everything already: half the time of a new process."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOADED = (
    *("cv2", "altair", "sklearn.discriminant_analysis", "sklearn.naive_bayes", "sklearn.pipeline"),
    *(
        "leukobench.pipeline",
        "leukobench.cli.run",
        "leukobench.config.experiment_file",
        "scipy.stats",
        "pyarrow.parquet",
    ),
)


class Forked:
    """A command line in a process group of its own, with the methods of `subprocess.Popen` that trials need."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        for name in _LOADED:
            importlib.import_module(name)
        descriptor, name = tempfile.mkstemp(suffix=".forked")
        self._output, self.returncode = Path(name), None
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            _become(list(arguments), environment, folder, descriptor)
        os.close(descriptor)

    def poll(self) -> int | None:
        """Status of the process, where it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def communicate(self, timeout: float = 600.0) -> tuple[str, None]:
        """What it wrote, once it has ended."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("fork", timeout)
            time.sleep(0.01)
        text = self._output.read_text(errors="replace")
        with contextlib.suppress(OSError):
            self._output.unlink()
        return text, None


def _become(arguments: list[str], environment: Mapping[str, str], folder: Path, output: int) -> None:
    """The rest of the life of the fork."""
    status = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path += [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]
        sys.argv = ["leukobench", *arguments]
        from fault_watcher import begin

        begin()
        os.setsid()  # from here on signals of its group reach it
        from leukobench.cli import main

        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
