"""A Dask cluster: connected to, its workers compared with this process, and left as it was."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import ClusterError, ConfigurationError
from ..plugins.permission import VARIABLE
from ..storage import cache_folder, write_text
from .dask_worker import Terms, Welcome, differences, forget, keep_part, software, welcome

LOCAL = re.compile(r"local:([1-9]\d{0,3})")
_CONNECT_S, _FIRST_WORKER_S = 15.0, 60.0
_BLOCK_BYTES = 32 << 20
_RESUME = "what is finished is kept: run the same command again, with or without --dask."
_NOISY = ("distributed", "tornado", "asyncio")
_log = logging.getLogger(__name__)


class DaskCluster:
    """A context manager that connects when it is first needed, and closes what it opened.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``tcp://host:8786``; or ``local:4``, which starts 4 workers on this machine.
    folder : Path
        Of the run.

    Attributes
    ----------
    shares_folder, shares_cache : bool
        Every worker sees the folder of the run, and the cache folder.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder.absolute()
        self.shares_folder = self.shares_cache = False
        self._client: Any = None
        self._open = contextlib.ExitStack()
        self._run, self._tokens = uuid.uuid4().hex, dict[str, Path]()
        self._refused: set[str] = set()
        self._known: dict[str, Welcome] = {}
        self._threads: dict[str, int] = {}
        self._gpus: set[str] = set()
        self._parts: dict[str, bytes | Path] = {}

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    @property
    def client(self) -> Any:
        """The client of Dask, connected.

        Raises
        ------
        ClusterError
            It was lost.
        """
        if self._client is None:
            self.connect()
        if self._client.status != "running":
            raise self.lost()
        return self._client

    def connect(self) -> None:
        """Connect, and compare every worker with this process.

        Raises
        ------
        ConfigurationError
            Dask is not installed.
        ClusterError
            Nothing answers, no worker is there, or one has other software.
        """
        if self._client is not None:
            return
        try:
            from distributed import Client
        except ImportError as error:
            raise ConfigurationError(
                "Dask is not installed.", received=f"--dask {self.address}", fix='pip install "leukobench[dask]".'
            ) from error
        self._open.enter_context(_quiet())
        local = LOCAL.fullmatch(self.address)
        try:
            address = self._open.enter_context(_local_cluster(int(local[1]))) if local else self.address
            self._client = Client(address, timeout=_CONNECT_S, set_as_default=False, name="leukobench")
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"No Dask scheduler answers at {self.address}.",
                expected="tcp://host:8786 (or tls://), where `dask scheduler` runs; or local:4",
                received=str(error).splitlines()[0] if str(error) else type(error).__name__,
                fix="start it, or correct the address; a fire wall may be in between.",
            ) from error
        self._open.callback(self._close)
        self._open.enter_context(self._tokens_written())
        self._wait_for_workers()

    def _close(self) -> None:
        with contextlib.suppress(Exception):
            if not self.shares_folder and self._client.status == "running":
                self._client.run(forget, self._run, on_error="ignore")
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)

    @contextlib.contextmanager
    def _tokens_written(self) -> Iterator[None]:
        """Files by which a worker shows that it sees the folder of the run and that of the cache."""
        places = {"run": self.folder, "cache": cache_folder().absolute()}
        self._tokens = {name: place / f".dask-{self._run}" for name, place in places.items()}
        try:
            for token in self._tokens.values():
                write_text(token, "A worker that can read this shares the folder.\n")
            yield
        finally:
            for token in self._tokens.values():
                token.unlink(missing_ok=True)

    def _wait_for_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except (TimeoutError, OSError) as error:
            raise ClusterError(
                f"No worker is connected to the Dask scheduler at {self.address}.",
                expected=f"one within {_FIRST_WORKER_S:.0f} s",
                fix=f"start some: dask worker {self.address} --nthreads 2",
            ) from error
        self.look()
        others = [f"worker {address} has {self._unlike(address)}" for address in sorted(self._refused)]
        if others:
            raise ClusterError(
                f"{len(others)} of {len(self._known)} workers have other software than this process, and would compute "
                "other numbers.",
                expected="the same Python, leukobench and libraries everywhere",
                received="\n".join(others),
                fix="install the same versions there (pip freeze here, pip install -r there), and restart them.",
            )
        seen = [set(one.seen) for one in self._known.values()]
        self.shares_folder, self.shares_cache = (
            all(str(self._tokens[name]) in one for one in seen) for name in ("run", "cache")
        )
        _log.info(
            "Dask at %s: %s workers with %s threads; the folder of the run is %s, the cache %s.",
            *(self.address, len(self._known), sum(self._threads.values())),
            *("shared" if shared else "not shared" for shared in (self.shares_folder, self.shares_cache)),
        )

    def _unlike(self, address: str) -> str:
        return differences(self._known[address].software, software())

    def look(self) -> None:
        """See which workers are there, and compare those that are new.

        Raises
        ------
        ClusterError
            The scheduler was lost.
        """
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        new = [address for address in workers if address not in self._known]
        for address, answer in self._welcomes(new).items():
            self._known[address] = answer
            if self._unlike(address) or self._sees_less(answer):
                self._refused.add(address)
                why = self._unlike(address) or "does not see the folder of the run"
                _log.warning("Worker %s computes nothing: %s.", address, why)
        usable = {address: facts for address, facts in workers.items() if address not in self._refused}
        self._threads = {address: int(facts["nthreads"]) for address, facts in usable.items()}
        named = {address for address, facts in usable.items() if facts.get("resources", {}).get("GPU")}
        self._gpus = named or {address for address in usable if self._known[address].gpu}

    def _welcomes(self, new: Sequence[str]) -> dict[str, Welcome]:
        if not new:
            return {}
        paths = [str(path) for path in self._tokens.values()]
        answers = self._client.run(welcome, paths, workers=list(new), on_error="return")
        return {
            address: answer if isinstance(answer, Welcome) else Welcome({"leukobench": f"unusable ({answer})"}, (), False)
            for address, answer in answers.items()
        }

    def _sees_less(self, answer: Welcome) -> bool:
        """Of one that joined after the run had begun."""
        needed = [self._tokens["run"]] if self.shares_folder else []
        needed += [self._tokens["cache"]] if self.shares_cache else []
        return not {str(path) for path in needed} <= set(answer.seen)

    def refuse(self, address: str, why: str) -> None:
        """Let a worker compute nothing."""
        self._refused.add(address)
        self._threads.pop(address, None)
        _log.warning("Worker %s computes nothing: it has %s.", address, why)

    def threads(self, networks: bool) -> dict[str, int]:
        """Workers and their threads: those with a GPU extract and train networks, where there are any, others fit."""
        gpus = {address: count for address, count in self._threads.items() if address in self._gpus}
        others = {address: count for address, count in self._threads.items() if address not in self._gpus}
        return (gpus if networks else others) or self._threads

    def are_all(self, addresses: Mapping[str, int]) -> bool:
        """Whether these are all workers, so that the scheduler may choose freely."""
        return not self._refused and len(addresses) == len(self._threads)

    def lost(self) -> ClusterError:
        """The error when the scheduler is gone."""
        return ClusterError(f"The Dask scheduler at {self.address} was lost.", fix=_RESUME)

    def without_workers(self, seconds: float) -> ClusterError:
        """The error when no worker is left."""
        return ClusterError(f"No worker of the Dask cluster at {self.address} is left, since {seconds:.0f} s.", fix=_RESUME)

    def terms(self, seconds: float, memory: float) -> Terms:
        """What holds for all pieces within these limits."""
        variables = {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
        if self.shares_cache:
            variables["LEUKOBENCH_CACHE"] = str(cache_folder().absolute())
        folder = str(self._parts_folder) if self.shares_folder else ""
        return Terms(self._run, software(), folder, variables, seconds, memory)

    @property
    def _parts_folder(self) -> Path:
        return self.folder / "features" / "parts"

    def keep(self, name: str, part: bytes | Path) -> None:
        """Keep a large part of pieces, or a file, for workers that lack it."""
        self._parts[name] = part
        if self.shares_folder:
            self.provide("", [name])

    def provide(self, address: str, names: Sequence[str]) -> None:
        """Bring large parts to a worker, or into the folder that all see."""
        for name in names:
            part = self._parts[name]
            if self.shares_folder:
                _write(self._parts_folder / name, part)
            else:
                for start, block, last in _blocks(part):
                    self.client.run(keep_part, self._run, name, start, block, last, workers=[address], on_error="ignore")


def _write(target: Path, part: bytes | Path) -> None:
    from ..storage import atomic_path

    if not target.exists():
        with atomic_path(target) as temporary:
            temporary.write_bytes(part if isinstance(part, bytes) else part.read_bytes())


def _blocks(part: bytes | Path) -> Iterator[tuple[int, bytes, bool]]:
    size = len(part) if isinstance(part, bytes) else part.stat().st_size
    for start in range(0, max(1, size), _BLOCK_BYTES):
        if isinstance(part, bytes):
            block = part[start : start + _BLOCK_BYTES]
        else:
            with part.open("rb") as stream:
                stream.seek(start)
                block = stream.read(_BLOCK_BYTES)
        yield start, block, start + _BLOCK_BYTES >= size


@contextlib.contextmanager
def _local_cluster(workers: int) -> Iterator[Any]:
    """Workers with one thread each, on this machine; Ctrl-C, which reaches the run, does not reach them."""
    from distributed import LocalCluster

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=0)
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.close(timeout=5)


class _IntoRunLog(logging.Handler):
    """Passes on what Dask logs as information, which run.log holds and no screen shows."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.info("%s: %s", record.name, record.getMessage().splitlines()[0] if record.getMessage() else "")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Dask prints nothing."""
    import distributed  # noqa: F401  (adds its handlers)

    handler, before = _IntoRunLog(logging.WARNING), list[tuple[logging.Logger, list[logging.Handler], bool]]()
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.partition(".")[0] in _NOISY]
    for logger in loggers:
        before.append((logger, logger.handlers[:], logger.propagate))
        logger.handlers[:], logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, handlers, propagate in before:
            logger.handlers[:], logger.propagate = handlers, propagate
