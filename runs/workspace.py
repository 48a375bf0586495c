"""Where and with what a run works: its folder, its cores, its progress."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from ..machine import Executor, Limits, Progress, cores
from ..processes.executors import Processes
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
    limits : Limits
        Of the fits; none by default.
    cluster : Executor, optional
        Other machines, which do the work in place of this one's cores.
    """

    folder: RunFolder
    workers: int = field(default_factory=cores)
    progress: Progress = silent
    limits: Limits = field(default_factory=Limits)
    cluster: Executor | None = None

    @classmethod
    def of(
        cls,
        folder: RunFolder,
        workers: int | None,
        progress: Progress,
        limits: Limits | None = None,
        cluster: Executor | None = None,
    ) -> Workspace:
        """With all cores where `workers` is None."""
        return cls(folder, workers or cores(), progress, limits or Limits(), cluster)

    def to_the_end(self) -> Workspace:
        """The same without a deadline, for what is not left half done once it has begun."""
        return replace(self, limits=replace(self.limits, deadline=math.inf))

    def here(self) -> Workspace:
        """The same without other machines."""
        return replace(self, cluster=None)

    @property
    def beside_files(self) -> Executor:
        """What computes from files in the folder: this machine, where not every other one sees it."""
        return self.executor if self.cluster is None or self.cluster.shares_folder else self.here().executor

    @property
    def executor(self) -> Executor:
        """What fits combinations, on these cores or elsewhere."""
        return self.cluster.within(self.limits) if self.cluster else Processes(self.workers, self.limits)
