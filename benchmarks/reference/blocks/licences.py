"""Licences of what leukobench installs: the packages that ``setup.cfg`` names, and docs/licences.csv, which knows them.

The table has no versions and no package that only others bring, so that it is the same on every machine.
``tests/test_licences.py`` compares it with the metadata of what is installed.
"""

from __future__ import annotations

import configparser
import csv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ALWAYS = "always"
DEVELOPMENT = {"dev", "docs"}
"""Extras that nobody needs to use leukobench."""


def licences(reference: Path) -> Iterator[str]:
    """A row a package, those that are always installed first."""
    packages, extras = known_licences(), direct_dependencies()
    yield "| package | licence | installed |"
    yield "|---|---|---|"
    for name in sorted(
        extras, key=lambda name: (ALWAYS not in extras[name], extras[name] <= DEVELOPMENT, name.lower())
    ):
        licence, home = packages[name]
        where = ", ".join(word if word == ALWAYS else f"`[{word}]`" for word in sorted(extras[name]))
        yield f"| [{name}]({home}) | {licence} | {where} |"


def known_licences() -> dict[str, tuple[str, str]]:
    """Package -> its licence as an SPDX expression, and its home page."""
    with (ROOT / "docs" / "licences.csv").open(encoding="utf-8", newline="") as file:
        return {row["package"]: (row["licence"], row["home"]) for row in csv.DictReader(file)}


def direct_dependencies() -> dict[str, set[str]]:
    """Package that ``setup.cfg`` names -> the extras that bring it, or `ALWAYS`."""
    from packaging.requirements import Requirement

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    sections = {ALWAYS: setup["options"]["install_requires"], **setup["options.extras_require"]}
    extras: dict[str, set[str]] = {}
    for extra, text in sections.items():
        for line in filter(None, map(str.strip, text.splitlines())):
            extras.setdefault(Requirement(line).name, set()).add(extra)
    return extras
