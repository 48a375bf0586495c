"""Where and with what a run works: its folder, its cores, its progress."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..machine import Executor, Progress, cores
from .executors import Processes
from .folder import RunFolder
from .progress import silent


@dataclass(frozen=True)
class Workspace:
    """Folder, cores and progress of a run, passed to every step.

    Attributes
    ----------
    folder : RunFolder
    workers : int
        Cores for everything; all that this process may use by default.
    progress : Progress
    """

    folder: RunFolder
    workers: int = field(default_factory=cores)
    progress: Progress = silent

    @classmethod
    def of(cls, folder: RunFolder, workers: int | None, progress: Progress) -> Workspace:
        """With all cores where `workers` is None."""
        return cls(folder, workers or cores(), progress)

    @property
    def executor(self) -> Executor:
        """What fits combinations on these cores."""
        return Processes(self.workers)
