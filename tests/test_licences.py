"""Licences of what leukobench installs: each is known, allowed, and what the installed package says of itself."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
from pathlib import Path

import pytest

from .test_reference import package

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "MIT",
    "MIT-CMU", "Zlib",
}  # fmt: skip
"""Licences that ask for no more than a notice."""
FOR_TESTS = {"MPL-2.0"}
"""Allowed for what only development needs: it passes to changed files of the package itself."""
WORDS = {
    r"\bMIT-CMU\b": "MIT-CMU",
    r"\bMIT\b": "MIT",
    r"\bApache\b": "Apache-2.0",
    r"\bBSD-2-Clause\b": "BSD-2-Clause",
    r"\bBSD\b": "BSD",
    r"\bMPL\b|Mozilla": "MPL-2.0",
}
"""Words of metadata -> licence; many say BSD without saying which."""


def known() -> dict[str, tuple[str, str]]:
    return dict(package("blocks.licences").known_licences())


def direct() -> dict[str, set[str]]:
    return dict(package("blocks.licences").direct_dependencies())


def not_allowed(licence: str, extras: set[str]) -> set[str]:
    """Parts of an SPDX expression that are not in the list."""
    development = extras <= package("blocks.licences").DEVELOPMENT
    return set(re.split(r" AND | OR ", licence)) - ALLOWED - (FOR_TESTS if development else set())


def stated(name: str) -> str:
    """Licence that an installed package states in its metadata, or in the title of its licence file; '' without one."""
    metadata = importlib.metadata.metadata(name)
    texts = [metadata.get("License-Expression"), *(metadata.get_all("Classifier") or ()), metadata.get("License")]
    texts = [text for text in texts if text and (" :: " not in text or text.startswith("License ::"))]
    files = [file for file in importlib.metadata.files(name) or () if file.name.startswith("LICENSE")]
    for text in [*texts, *(file.read_text() for file in files)]:
        for pattern, licence in WORDS.items():
            if re.search(pattern, text.partition("\n")[0]):
                return licence
    return ""


def test_the_licence_of_every_direct_dependency_is_known_and_allowed() -> None:
    licences, extras = known(), direct()
    assert not extras.keys() - licences.keys(), "add them to docs/licences.csv"
    assert not licences.keys() - extras.keys(), "no longer in setup.cfg: remove them from docs/licences.csv"
    refused = {name: parts for name in extras if (parts := not_allowed(licences[name][0], extras[name]))}
    assert not refused, "choose another package, or extend ALLOWED and say why"
    assert all(home.startswith("https://") for _, home in licences.values())
    assert list(licences) == sorted(licences, key=str.lower)


def test_what_is_not_allowed_is_seen() -> None:
    assert not_allowed("GPL-3.0-only", {"always"}) == {"GPL-3.0-only"}
    assert not_allowed("MIT AND AGPL-3.0-only", {"cpu"}) == {"AGPL-3.0-only"}
    assert not_allowed("MPL-2.0", {"dev", "app"}) == {"MPL-2.0"}
    assert not not_allowed("MPL-2.0", {"dev"})


@pytest.mark.parametrize("name", sorted(known()))
def test_an_installed_package_states_the_licence_of_the_table(name: str) -> None:
    try:
        licence = stated(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    assert licence, "it states none: read its licence, and add the words to WORDS"
    assert licence in known()[name][0]


def test_the_table_names_every_extra() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = set().union(*direct().values())
    assert named == {"always", *setup["options.extras_require"]}
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert all(f"`[{extra}]`" in text for extra in named - {"always"})
