"""Public sets of images: licence, size, layout, patients, citation and where to get them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from ..errors import UnknownNameError

UNKNOWN = "unknown"
_FILE = Path(__file__).with_name("datasets.yaml")


@dataclass(frozen=True)
class PublicSet:
    """What is known of a public set; what could not be confirmed says unknown.

    Attributes
    ----------
    name, title : str
    images, bytes : int or str
        How many there are, and their size.
    classes : tuple of str
    patients : str
        How many, and where the files name them.
    licence : str
    layout : str
        That ``--layout`` takes.
    folder : str
        To be named, of what the archive unpacks to.
    url, citation : str
    traps : tuple of str
    """

    name: str
    title: str
    images: int | str
    bytes: int | str
    classes: tuple[str, ...]
    patients: str
    licence: str
    layout: str
    folder: str
    url: str
    citation: str
    traps: tuple[str, ...]

    def size(self) -> str:
        """Images and bytes in words: ``3,256 images, 72 MB``."""
        images = f"{self.images:,} images" if isinstance(self.images, int) else f"images {self.images}"
        return (
            f"{images}, {self.bytes / 1e6:,.0f} MB" if isinstance(self.bytes, int) else f"{images}, size {self.bytes}"
        )

    def facts(self) -> Iterator[tuple[str, str]]:
        """Each fact with its name, for people."""
        yield "size", self.size()
        yield "classes", ", ".join(self.classes)
        yield "patients", self.patients
        yield "licence", self.licence
        yield "folder", self.folder
        yield "layout", f"--layout {self.layout}" if self.layout != UNKNOWN else UNKNOWN
        yield "from", self.url
        yield "cite", self.citation
        yield from (("trap", trap) for trap in self.traps)

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return asdict(self)


@cache
def public_sets() -> dict[str, PublicSet]:
    """Every set by its name."""
    import yaml

    stored = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {
        name: PublicSet(name, **{**facts, "classes": tuple(facts["classes"]), "traps": tuple(facts["traps"])})
        for name, facts in stored.items()
    }


def public_set(name: str) -> PublicSet:
    """One of them.

    Raises
    ------
    UnknownNameError
    """
    import difflib

    sets = public_sets()
    if name not in sets:
        nearest = difflib.get_close_matches(name, sets, n=1)
        raise UnknownNameError(
            f"There is no public set called '{name}' in the list.",
            expected=", ".join(sets),
            received=name,
            fix=f"did you mean {nearest[0]}?" if nearest else "see `leukobench datasets`.",
        )
    return sets[name]
