"""The executor of a Dask cluster: pieces of work on its workers, results as they come; see docs/clusters.md."""

from __future__ import annotations

import contextlib
import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from ..machine import Limits, Stop
from .dask_cluster import DaskCluster
from .dask_worker import (
    DONE,
    FAILED,
    LACKING,
    REFUSED,
    STOPPED,
    Outcome,
    Terms,
    compute_piece,
    content_of,
    store,
)
from .parcels import Packing, Parcel

_LOOK_S, _NO_WORKERS_S = 1.0, 60.0
_AHEAD_S, _LEAST, _MOST = 0.25, 2, 32
"""Pieces for each thread: work of so many seconds, since the way there and back takes longer than some pieces."""
_DIED = "the workers that computed it were lost, several times"
_log = logging.getLogger(__name__)

Stopped = Callable[[int, Stop], tuple[Any, ...] | None]


class DaskExecutor:
    """Workers of a Dask cluster; see `leukobench.machine.Executor`.

    Each piece is computed in a process of its own there, so that limits and deaths are what they are on one machine.

    Parameters
    ----------
    cluster : DaskCluster
    limits : Limits
    networks : bool
        For what runs or trains networks: workers with a GPU, where there are any.
    most : int, optional
        Pieces at a time.
    """

    here = False

    def __init__(
        self, cluster: DaskCluster, limits: Limits | None = None, networks: bool = False, most: int | None = None
    ) -> None:
        self._cluster, self.limits = cluster, limits or Limits()
        self._networks, self._most = networks, most

    @property
    def workers(self) -> int:
        """Threads of the workers now."""
        self._cluster.connect()
        threads = max(1, sum(self._cluster.threads(self._networks).values()))
        return min(self._most or threads, threads)

    @property
    def shares_cache(self) -> bool:
        """See `leukobench.machine.Executor`."""
        self._cluster.connect()
        return self._cluster.shares_cache

    @property
    def shares_folder(self) -> bool:
        """See `leukobench.machine.Executor`."""
        self._cluster.connect()
        return self._cluster.shares_folder

    def alone(self) -> DaskExecutor:
        """See `leukobench.machine.Executor`."""
        return DaskExecutor(self._cluster, self.limits, self._networks, most=1)

    def within(self, limits: Limits) -> DaskExecutor:
        """See `leukobench.machine.Executor`."""
        return DaskExecutor(self._cluster, limits, self._networks, self._most)

    def for_networks(self) -> DaskExecutor:
        """See `leukobench.machine.Executor`."""
        return DaskExecutor(self._cluster, self.limits, True, self._most)

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Stopped
    ) -> Iterator[tuple[int, Any]]:
        """See `leukobench.machine.Executor`.

        Raises
        ------
        ClusterError
            The scheduler or all workers were lost.
        """
        cluster, waiting = self._cluster, enumerate(pieces)
        cluster.connect()
        packing = Packing(cluster.keep, None if cluster.shares_folder else cluster.folder)
        with _Flight(cluster, self.limits, self._networks) as flight:
            while not self.limits.over:
                room = self._most or flight.room
                while len(flight) < room and (following := next(waiting, None)):
                    flight.send(following[0], packing.pack(work, following[1]))
                if not flight:
                    return
                for position, outcome in flight.ended():
                    store(cluster.folder, outcome.files)
                    if outcome.kind == FAILED:
                        raise content_of(outcome)
                    if outcome.kind == DONE:
                        yield position, content_of(outcome)
                    elif rest := stopped(position, outcome.content):
                        flight.send(position, packing.pack(work, rest))
                    else:
                        yield position, None


@dataclass
class _Sent:
    """A piece on its way."""

    position: int
    parcel: Parcel
    addresses: list[str] | None
    """Workers that may compute it; None for all."""


class _Flight:
    """Pieces that are at the workers; a context manager, which calls back what nobody waits for any more."""

    def __init__(self, cluster: DaskCluster, limits: Limits, networks: bool) -> None:
        self._cluster, self._limits, self._networks = cluster, limits, networks
        self._terms: Terms = cluster.terms(limits.seconds, limits.memory)
        self._sent = dict[Any, _Sent]()
        self._landed: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._took: deque[float] = deque(maxlen=16)
        self._looked = self._had_workers = time.monotonic()

    def __enter__(self) -> _Flight:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            if self._sent:
                with self._cluster.client() as client:
                    client.cancel(list(self._sent), force=True)

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def room(self) -> int:
        """How many may be on their way: one more for each thread, which an idle one takes over; more of short ones."""
        threads = max(1, sum(self._cluster.threads(self._networks).values()))
        mean = sum(self._took) / len(self._took) if self._took else _AHEAD_S
        return threads * max(_LEAST, min(_MOST, int(_AHEAD_S / max(mean, 1e-6))))

    def send(self, position: int, parcel: Parcel) -> None:
        """Send a piece to whichever worker is free first."""
        usable = self._cluster.threads(self._networks)
        addresses = None if self._cluster.are_all(usable) else list(usable)
        left = self._limits.deadline - time.monotonic()
        with self._cluster.client() as client:
            arguments = parcel.data, parcel.parts, self._terms, left
            future = client.submit(compute_piece, *arguments, pure=False, workers=addresses)
        self._sent[future] = _Sent(position, parcel, addresses)
        future.add_done_callback(self._landed.put)

    def ended(self) -> Iterator[tuple[int, Outcome]]:
        """What has ended with a result or a stop; after a while there may be nothing."""
        futures = self._wait()
        if time.monotonic() - self._looked > _LOOK_S:
            self._look()
        futures = [future for future in futures if future in self._sent]
        finished = [future for future in futures if future.status == "finished"]
        with self._cluster.client() as client:
            outcomes = dict(zip(finished, client.gather(finished) if finished else [], strict=True))
        for future in futures:
            sent = self._sent.pop(future)
            outcome = outcomes[future] if future in outcomes else self._failure(future)
            if outcome.kind in (DONE, FAILED, STOPPED):
                self._took.append(outcome.seconds)
                yield sent.position, outcome
                continue
            if outcome.kind == LACKING:
                self._cluster.provide(outcome.worker, outcome.content)
            elif outcome.kind == REFUSED:
                self._cluster.refuse(outcome.worker, outcome.content)
            if not self._limits.over:
                self.send(sent.position, sent.parcel)

    def _wait(self) -> list[Any]:
        """Futures that have ended, at least one unless that takes long."""
        left = self._limits.deadline - time.monotonic()
        futures: list[Any] = []
        with contextlib.suppress(queue.Empty):
            futures.append(self._landed.get(timeout=max(0.0, min(_LOOK_S, left))))
            while True:
                futures.append(self._landed.get_nowait())
        return futures

    def _failure(self, future: Any) -> Outcome:
        """What became of a piece that Dask gives no result of."""
        from distributed import KilledWorker

        if future.status != "error":
            raise self._cluster.lost()
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Outcome(STOPPED, Stop("", _DIED), "")
        raise ClusterError(
            f"A worker of the Dask cluster at {self._cluster.address} could not begin a piece of work.",
            received=f"{type(error).__name__}: {error}",
            fix="see the log of that worker; finished work is kept.",
        ) from error

    def _look(self) -> None:
        """See which workers are there, and send again what waits for workers that are gone."""
        self._looked = time.monotonic()
        self._cluster.look()
        usable = self._cluster.threads(self._networks)
        if usable:
            self._had_workers = self._looked
        elif self._looked - self._had_workers > _NO_WORKERS_S:
            raise self._cluster.without_workers(_NO_WORKERS_S)
        for future, sent in list(self._sent.items()):
            stranded = sent.addresses is not None and usable and not set(sent.addresses) & usable.keys()
            if stranded and not future.done():
                del self._sent[future]
                future.cancel()
                self.send(sent.position, sent.parcel)
