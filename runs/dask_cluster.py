"""A Dask cluster: connected to, its workers compared with this process, and left as it was."""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from ..errors import ClusterError
from ..features.cache_files import features_folder
from ..plugins.permission import VARIABLE
from ..storage import atomic_path
from .dask_connection import connection
from .dask_worker import Terms, Welcome, differences, forget, keep_part, software, welcome
from .folder import RunFolder
from .markers import remove_marker, write_marker

_FIRST_WORKER_S = 60.0
_BLOCK_BYTES, _ATTEMPTS = 32 << 20, 3
_RESUME = "what is finished is kept: run the same command again, with or without --dask."
_log = logging.getLogger(__name__)


class DaskCluster:
    """A context manager that connects when it is first needed, and closes what it opened.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``tcp://host:8786``; or ``local:4``, which starts 4 workers on this machine.
    folder : RunFolder

    Attributes
    ----------
    shares_folder, shares_cache : bool
        Every worker sees the folder of the run, and the cache folder.
    """

    def __init__(self, address: str, folder: RunFolder) -> None:
        self.address, self.folder, self._records = address, folder.path.absolute(), folder.records.absolute()
        self.shares_folder = self.shares_cache = False
        self._client: Any = None
        self._open = contextlib.ExitStack()
        self._run, self._tokens = uuid.uuid4().hex, dict[str, Path]()
        self._refused: set[str] = set()
        self._known: dict[str, Welcome] = {}
        self._threads: dict[str, int] = {}
        self._gpus: set[str] = set()
        self._parts: dict[str, bytes | Path] = {}
        self._times: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """The client of Dask, connected.

        Raises
        ------
        ClusterError
            The scheduler was lost, before or meanwhile.
        """
        self.connect()
        if self._client.status != "running":
            raise self.lost()
        try:
            yield self._client
        except (OSError, CancelledError) as error:
            raise self.lost() from error

    def connect(self) -> None:
        """Connect, and compare every worker with this process.

        Raises
        ------
        ClusterError
            Nothing answers, no worker is there, or one has other software.
        """
        if self._client is not None:
            return
        self._client = self._open.enter_context(connection(self.address))
        self._open.callback(self._forget)
        self._open.enter_context(self._tokens_written())
        self._wait_for_workers()

    def _forget(self) -> None:
        with contextlib.suppress(Exception):
            if not self.shares_folder and self._client.status == "running":
                self._client.run(forget, self._run, on_error="ignore")

    @contextlib.contextmanager
    def _tokens_written(self) -> Iterator[None]:
        """Files by which a worker shows that it sees the folder of the run and that of the cache."""
        places = {"run": self._records, "cache": features_folder().absolute()}
        self._tokens = {name: place / f".dask-{self._run}" for name, place in places.items()}
        try:
            for token in self._tokens.values():
                write_marker(token)
            yield
        finally:
            for token in self._tokens.values():
                remove_marker(token)

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
        with self.client() as client:
            workers = client.scheduler_info(n_workers=-1)["workers"]
            welcomes = self._welcomes(client, [address for address in workers if address not in self._known])
        for address, answer in welcomes.items():
            self._known[address] = answer
            if self._unlike(address) or self._sees_less(answer):
                self._refused.add(address)
                why = self._unlike(address) or "does not see the folder of the run"
                _log.warning("Worker %s computes nothing: %s.", address, why)
        usable = {address: facts for address, facts in workers.items() if address not in self._refused}
        self._threads = {address: int(facts["nthreads"]) for address, facts in usable.items()}
        named = {address for address, facts in usable.items() if facts.get("resources", {}).get("GPU")}
        self._gpus = named or {address for address in usable if self._known[address].gpu}

    def _welcomes(self, client: Any, new: Sequence[str]) -> dict[str, Welcome]:
        if not new:
            return {}
        paths = [str(path) for path in self._tokens.values()]
        answers = client.run(welcome, paths, workers=list(new), on_error="return")
        return {
            address: answer if isinstance(answer, Welcome) else Welcome({"leukobench": f"none ({answer})"}, (), False)
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
        what = f"No worker of the Dask cluster at {self.address} is left, since {seconds:.0f} s."
        return ClusterError(what, fix=_RESUME)

    def terms(self, seconds: float, memory: float) -> Terms:
        """What holds for all pieces within these limits."""
        variables = {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
        if self.shares_cache:
            variables["LEUKOBENCH_CACHE"] = str(features_folder().absolute().parent)
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
                self._send(address, name, part)

    def _send(self, address: str, name: str, part: bytes | Path) -> None:
        self._times[address, name] += 1
        for block in _blocks(part):
            with self.client() as client:
                (answer,) = client.run(
                    keep_part, self._run, name, *block, workers=[address], on_error="return"
                ).values()
            if answer is not None and self._times[address, name] >= _ATTEMPTS:
                raise ClusterError(
                    f"Worker {address} of the Dask cluster cannot keep what it is to compute from.",
                    received=f"{type(answer).__name__}: {answer}",
                    fix="see whether its --local-directory has space; finished work is kept.",
                )


def _write(target: Path, part: bytes | Path) -> None:
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
