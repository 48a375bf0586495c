"""Executors: spread the fits of a run over processes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..machine import WorkerDiedError, end_with_parent, in_main_thread


class Processes:
    """Processes of this machine, kept for the next call; see `leukobench.machine.Executor`.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]]) -> Iterator[int]:
        """Yield the position of each piece when ``work(*piece)`` has ended."""
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        # loky replaces a worker that has grown by 300 MB, such as by loading a library, and warns of it.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        own = os.getpid(), in_main_thread()
        jobs = (delayed(_run_piece)(position, work, piece, own) for position, piece in enumerate(pieces))
        try:
            yield from Parallel(n_jobs=self.workers, return_as="generator_unordered", batch_size=1)(jobs)
        except TerminatedWorkerError as error:
            raise WorkerDiedError(str(error)) from error

    def isolate(self) -> Processes:
        """Processes apart from this one, even for a single worker: what kills them leaves this one alive."""
        return Processes(max(2, self.workers))


def _run_piece(position: int, work: Callable[..., Any], piece: tuple[Any, ...], parent: tuple[int, bool]) -> int:
    end_with_parent(*parent)
    work(*piece)
    return position
