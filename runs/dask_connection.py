"""The connection to a Dask cluster, without what Dask prints."""

from __future__ import annotations

import contextlib
import logging
import re
import signal
from collections.abc import Iterator
from typing import Any

from ..errors import ClusterError

_LOCAL = re.compile(r"local:(\d{1,4})")
_CONNECT_S, _CLOSE_S = 15.0, 5.0
_NOISY = ("distributed", "tornado", "asyncio")
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def connection(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address; of ``local:4``, of a cluster with 4 workers that is started for it.

    Raises
    ------
    ClusterError
        Nothing answers there.
    """
    from distributed import Client

    local = _LOCAL.fullmatch(address)
    with _quiet(), _local_cluster(int(local[1])) if local else contextlib.nullcontext(address) as scheduler:
        try:
            client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False, name="leukobench")
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"No Dask scheduler answers at {address}.",
                expected="tcp://host:8786 (or tls://), where `dask scheduler` runs; or local:4",
                received=str(error).splitlines()[0] if str(error) else type(error).__name__,
                fix="start it, or correct the address; a fire wall may be in between.",
            ) from error
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=_CLOSE_S)


@contextlib.contextmanager
def _local_cluster(workers: int) -> Iterator[Any]:
    """Workers with one thread each, on this machine; Ctrl-C, which reaches the run, does not reach them."""
    from distributed import LocalCluster

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=0)
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.close(timeout=_CLOSE_S)


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
