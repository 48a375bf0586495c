"""Looks at sealed images: ``holdout.json`` of a run records each, and other runs beside it are read for theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .folder import RunFolder

FILE = "holdout.json"


@dataclass(frozen=True)
class Look:
    """A look at sealed images.

    Attributes
    ----------
    opened : str
        When, in UTC.
    number : int
        How many looks there are, this one counted.
    earlier : tuple of str
        The others, a sentence each.
    """

    opened: str
    number: int
    earlier: tuple[str, ...]


def now() -> str:
    """The time as it is recorded."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def record_look(folder: RunFolder, sealed: str, images: str, experiment: str, best: Mapping[str, Any]) -> Look:
    """Record a look, before anything is scored; one experiment on the same images looks once, however often it runs.

    Parameters
    ----------
    folder : RunFolder
    sealed, images : str
        Digests of the sealed images, and of all.
    experiment : str
        Digest of what was compared.
    best : mapping
        The best combination, as in ``answer.json``.
    """
    recorded = folder.read_json(FILE) or {}
    looks = _looks_of(recorded)
    own = {"sealed": sealed, "images": images, "experiment": experiment}
    place = next((place for place, one in enumerate(looks) if own.items() <= one.items()), len(looks))
    if place == len(looks):
        looks.append({**own, "opened": now()})
    opened, before = looks[place]["opened"], [one for one in looks[:place] if _same(one, sealed, images)]
    folder.write_json(FILE, {**own, "opened": opened, "combination": dict(best), "lines": [], "looks": looks})
    others = [line for line, when in _others(folder, sealed, images) if when <= opened]
    earlier = [f"NOT THE FIRST LOOK: this run, with other settings, opened it on {one['opened']}" for one in before]
    return Look(opened, 1 + len(earlier) + len(others), (*earlier, *others))


def other_looks(folder: RunFolder, sealed: str, images: str) -> list[str]:
    """Other runs beside this one that opened a holdout of the same images."""
    return [line for line, _ in _others(folder, sealed, images)]


def _others(folder: RunFolder, sealed: str, images: str) -> list[tuple[str, str]]:
    lines = []
    for path in sorted(folder.path.absolute().parent.glob(f"*/{FILE}")):
        if path.parent == folder.path.absolute():
            continue
        for one in _looks_of(RunFolder(path.parent).read_json(FILE) or {}):
            if _same(one, sealed, images):
                words = f"'{path.parent.name}' opened a holdout of these images on {one['opened']}"
                lines.append((f"NOT THE FIRST LOOK: {words}", str(one["opened"])))
    return lines


def _looks_of(recorded: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every look of a file; one that was opened with `leukobench unseal` has one."""
    names = "sealed", "images", "opened"
    alone = {name: recorded.get(name) for name in names}
    return list(recorded.get("looks") or ([alone] if recorded else []))


def _same(look: Mapping[str, Any], sealed: str, images: str) -> bool:
    return look.get("sealed") == sealed or look.get("images") == images
