"""Extractors that differ in their pooling alone: one pass over the images serves all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from .extractor import Extractor, OpenExtractor


@runtime_checkable
class Shared(Extractor, Protocol):
    """An extractor whose pass over the images can serve others."""

    @property
    def trunk(self) -> str:
        """Equal for those that can share a pass."""

    @property
    def title(self) -> str:
        """Name of what they share."""

    @property
    def pooling(self) -> str:
        """What this one takes of it, in a few words."""

    def open_with(self, members: Sequence[Any], threads: int) -> AbstractContextManager[OpenExtractor]:
        """As `open`; the vectors of the members stand one after the other."""

    def columns_with(self, members: Sequence[Any], names: Sequence[str]) -> list[slice]:
        """Where the numbers of each member stand, from the names that `open_with` gives."""


class Together:
    """Extractors that differ in their pooling alone: one pass over the images serves all of them.

    Parameters
    ----------
    members : sequence of Shared
        Of one `trunk`.
    """

    def __init__(self, members: Sequence[Shared]) -> None:
        self.members = members
        self.read = members[0].read

    @property
    def title(self) -> str:
        """What they share, and what each of them takes of it."""
        return f"{self.members[0].title} ({', '.join(member.pooling for member in self.members)})"

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Build or load the network with all poolings."""
        return self.members[0].open_with(self.members, threads)

    def columns(self, names: Sequence[str]) -> list[slice]:
        """Where the numbers of each member stand."""
        return self.members[0].columns_with(self.members, names)


def together(extractors: Iterable[Extractor]) -> list[Together]:
    """Groups of two extractors or more that one pass over the images can serve."""
    groups: dict[str, list[Shared]] = {}
    for extractor in extractors:
        if isinstance(extractor, Shared):
            groups.setdefault(extractor.trunk, []).append(extractor)
    return [Together(members) for members in groups.values() if len({one.pooling for one in members}) > 1]
