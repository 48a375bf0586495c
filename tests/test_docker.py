"""The Dockerfile names files, targets, variables and commands that exist. No image is built here."""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
from pathlib import Path

from click.testing import CliRunner

from leukobench.cli import cli

ROOT = Path(__file__).parents[1]


def instructions(text: str) -> list[tuple[str, str]]:
    """Word and arguments of each instruction of a Dockerfile, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(word, arguments) for word, _, arguments in (line.partition(" ") for line in joined)]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def arguments_of(word: str) -> list[str]:
    return [arguments for one, arguments in DOCKERFILE if one == word]


def environment() -> dict[str, str]:
    """What ``ENV`` sets."""
    return dict(pair.split("=", 1) for arguments in arguments_of("ENV") for pair in arguments.split())


def left_out(path: str) -> bool:
    """Whether ``.dockerignore`` keeps a path out: the last pattern that matches it, or a folder of it, decides."""
    parts = Path(path).parts
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    out = False
    for line in (ROOT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!").removeprefix("**/")
        tails = [name.rpartition("/")[2] for name in names] if "**/" in line else names
        if any(fnmatch.fnmatch(name, pattern) and name.count("/") == pattern.count("/") for name in tails):
            out = not line.startswith("!")
    return out


def test_python_of_the_image_is_new_enough() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    (image,) = arguments_of("FROM")
    version = re.fullmatch(r"python:(\d+\.\d+)-slim", image)
    assert version
    assert setup["options"]["python_requires"] == ">=3.11"
    assert [int(part) for part in version[1].split(".")] >= [3, 11]


def test_commands_of_the_image_name_targets_and_files_that_are_in_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (built,) = re.findall(r"make (\S+) LOCK=(\S+)", " ".join(arguments_of("RUN")))
    assert "READY := .venv/.ready-$(EXTRA)" in makefile
    assert built[0] == f".venv/.ready-{re.search(r'^EXTRA .= (.+)$', makefile, re.MULTILINE)[1]}"  # type: ignore[index]
    assert (ROOT / built[1]).is_file()
    needed = [
        "setup.cfg",
        "pyproject.toml",
        "README.md",
        "Makefile",
        "LICENSE",
        built[1],
        "pipeline.py",
        "tests/conftest.py",
    ]
    assert [path for path in needed if left_out(path) or not (ROOT / path).exists()] == []
    comments = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for target in ("quickstart", "test"):
        assert target in comments
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE)


def test_published_results_are_in_the_image_and_runs_are_not() -> None:
    assert not left_out("results/reference/all/answer.json")
    assert not left_out("results/README.md")
    assert left_out("results/my-run/report.html")
    assert left_out(".git/config")
    assert left_out("tests/cli/__pycache__/calls.pyc")
    assert left_out(".pytest_cache/README.md")


def test_the_image_runs_the_command_and_keeps_its_cache_where_anybody_may_write() -> None:
    entry, arguments = json.loads(arguments_of("ENTRYPOINT")[0]), json.loads(arguments_of("CMD")[0])
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert f"{entry[0]} = " in setup["options.entry_points"]["console_scripts"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    folder = environment()["LEUKOBENCH_CACHE"]
    assert all(path == folder or path.startswith(f"{folder}/") for path in environment().values())
    sources = "\n".join(path.read_text() for path in (ROOT / "storage.py", *(ROOT / "networks").glob("*.py")))
    assert [name for name in environment() if f'"{name}"' not in sources] == []
    assert 'chmod 1777 "$LEUKOBENCH_CACHE"' in " ".join(arguments_of("RUN"))
