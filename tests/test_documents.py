"""The documents name files, modules and commands that exist."""

from __future__ import annotations

import importlib.util
import re
from itertools import chain
from pathlib import Path

import pytest

import leukobench
from leukobench import errors

ROOT = Path(__file__).parents[1]
MADE_HERE = {"build", "dist", "results", "shared"}
FOLDERS = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in MADE_HERE and path.name[0] != "."]
FILES = [*ROOT.glob("*.*"), *chain.from_iterable(folder.rglob("*.*") for folder in FOLDERS)]
WRITTEN = sorted(path.relative_to(ROOT).as_posix() for path in FILES)
"""By people, also where there is no git."""
SOURCES = [path for path in WRITTEN if path.endswith(".py") and not path.startswith(("tests/", "docs/"))]
DOCUMENTS = [path for path in WRITTEN if path.endswith(".md")]
PACKAGES = sorted({path.split("/")[0] for path in SOURCES if "/" in path} - {"benchmarks"})
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join([*PACKAGES, 'tests', 'benchmarks', 'docs'])})/[\w/.-]*\w/?")
DOTTED = re.compile(r"(?<![\w.`/])`{0,2}(leukobench(?:\.\w+)+)")
LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")
FAMILIES = (
    "metrics",
    "report_sections",
    "commands",
    "extractors",
    "selectors",
    "classifiers",
    "cnns",
    "layouts",
    "networks",
)
NO_MODULES = {f"leukobench.{family}" for family in FAMILIES}
NO_MODULES |= {
    "leukobench.record",
    "leukobench.identity",
    "leukobench.checksum",
    "leukobench.numbers",
    "leukobench.rows",
}  # keys of parquet metadata
NO_MODULES |= {"leukobench.fast_forest"}  # where bundles of earlier versions look for their forests


def text_of(path: str) -> str:
    """What a document says today; the table of moved modules in the changelog names old ones, too."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.sub(r"(?m)^\| `leukobench\..*$", "", text) if path == "CHANGELOG.md" else text


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something that one holds (or a method of that)."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        module = ".".join(parts[:depth])
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            continue
        if spec is not None:
            value = importlib.import_module(module)
            for part in parts[depth:]:
                value = getattr(value, part, None)
            return value is not None
    return False


def test_paths_in_documents_and_docstrings_exist() -> None:
    for path in [*DOCUMENTS, *SOURCES]:
        for named in PATH.findall(text_of(path)):
            if named.endswith((".py", ".md")):
                assert (ROOT / named).exists(), f"{path} names {named}"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_links_in_documents_lead_somewhere(path: str) -> None:
    for target in LINK.findall(text_of(path)):
        assert ((ROOT / path).parent / target.partition("#")[0]).exists(), f"{path} links to {target}"


def test_modules_in_documents_and_docstrings_exist() -> None:
    for path in [*DOCUMENTS, *SOURCES]:
        for named in set(DOTTED.findall(text_of(path))) - NO_MODULES:
            assert exists(named), f"{path} names {named}"


def test_the_page_on_python_has_every_public_name() -> None:
    lines = [line for line in text_of("docs/api.md").splitlines() if "::" in line or ":members:" in line]
    listed = set(re.findall(r"\w+", "\n".join(lines)))
    assert {*leukobench.__all__} - {"__version__"} <= listed
    assert {name for name, item in vars(errors).items() if isinstance(item, type) and name.endswith("Error")} <= listed
