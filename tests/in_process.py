"""An executor of the tests: it computes in this process, which knows what a test changed, and starts no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from leukobench.machine import Limits


class InProcess:
    """See `leukobench.machine.Executor`; what dies here would end the tests."""

    workers, here, shares_cache, shares_folder = 1, True, True, True

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def alone(self) -> InProcess:
        return self

    def within(self, limits: Limits) -> InProcess:
        return InProcess(limits)

    def for_networks(self) -> InProcess:
        return self

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
    ) -> Iterator[tuple[int, Any]]:
        for position, piece in enumerate(pieces):
            if self.limits.over:
                return
            yield position, work(*piece, lambda step: None)


class Elsewhere(InProcess):
    """A machine that sees the cache folder or not, and computes pieces last first."""

    here = False

    def __init__(self, shares_cache: bool = True) -> None:
        super().__init__()
        self.shares_cache = shares_cache

    def within(self, limits: Any) -> Elsewhere:
        return self

    def for_networks(self) -> Elsewhere:
        return self

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
    ) -> Iterator[tuple[int, Any]]:
        for position, piece in reversed(list(enumerate(pieces))):
            yield position, work(*piece, lambda step: None)
