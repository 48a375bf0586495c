"""What a release is made of agrees: version, citation, changelog."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from leukobench import __version__

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"## (?P<version>\d+\.\d+\.\d+) \((?P<date>unreleased|\d{4}-\d{2}-\d{2})\)")


def headings(changelog: str) -> list[tuple[str, str]]:
    """Version and date of each release, the newest first."""
    lines = [line for line in changelog.splitlines() if line.startswith("## ")]
    matches = [HEADING.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return [(match["version"], match["date"]) for match in matches if match]


def problems(version: str, changelog: str, citation: dict[str, Any]) -> list[str]:
    """What does not agree."""
    (newest, date), *older = headings(changelog)
    released = str(citation.get("date-released", "unreleased"))
    wrong = {
        "CHANGELOG.md has another version": newest != version,
        "CITATION.cff has another version": citation["version"] != version,
        "CITATION.cff has another date": released != date,
        "an older release has no date": any(one == "unreleased" for _, one in older),
        "releases are out of order": older != sorted(older, key=_numbers, reverse=True),
    }
    return [words for words, holds in wrong.items() if holds]


def _numbers(release: tuple[str, str]) -> list[int]:
    return [int(part) for part in release[0].split(".")]


def test_version_citation_and_changelog_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert problems(__version__, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), citation) == []


@pytest.mark.parametrize(
    ("changelog", "citation", "words"),
    [
        ("## 0.2.0 (unreleased)", {"version": "0.1.0"}, "CHANGELOG.md has another version"),
        ("## 0.1.0 (unreleased)", {"version": "0.2.0"}, "CITATION.cff has another version"),
        ("## 0.1.0 (2026-12-01)", {"version": "0.1.0"}, "CITATION.cff has another date"),
        ("## 0.1.0 (unreleased)", {"version": "0.1.0", "date-released": "2026-12-01"}, "CITATION.cff has another date"),
        ("## 0.1.0 (unreleased)\n## 0.0.9 (unreleased)", {"version": "0.1.0"}, "an older release has no date"),
        ("## 0.1.0 (unreleased)\n## 0.0.9 (2026-01-01)\n## 0.0.10 (2026-01-02)", {"version": "0.1.0"}, "out of order"),
    ],
)
def test_what_does_not_agree_is_seen(changelog: str, citation: dict[str, Any], words: str) -> None:
    assert words in " ".join(problems("0.1.0", changelog, citation))


def test_citation_and_package_say_the_same_of_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    package = setup["metadata"]
    assert [author["name"] for author in citation["authors"]] == [package["author"]]
    assert citation["license"] == package["license"]
    assert set(citation["keywords"]) <= set(package["keywords"].split(", "))
    assert f"{package['name']}: {package['description'].lower()}" == citation["title"].lower()


def test_locked_versions_run_on_the_oldest_python() -> None:
    """Where the locked version is the installed one, as in ``.ci/run``."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    oldest = f"{setup['options']['python_requires'].removeprefix('>=')}.0"
    locked = dict(line.split("==") for line in (ROOT / ".ci" / "constraints.txt").read_text().split())
    refused, read = [], 0
    for name, version in locked.items():
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if metadata["Version"] == version:
            read += 1
            if oldest not in SpecifierSet(metadata.get("Requires-Python") or ""):
                refused.append(f"{name} {version} needs Python {metadata['Requires-Python']}: lock an older one")
    if read < 50:
        pytest.skip("other versions are installed here than those of the lock")
    assert refused == []
