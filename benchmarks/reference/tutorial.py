"""The quickstart and the tutorial, run as their readers run them: what the screen shows is published.

The tutorial itself (``docs/tutorial.md``) says what is run: every ``sh`` block is a line of commands, every ``yaml``
block that begins with a file's name is that file. The output of a block is kept under the name that the marker behind
it gives: ``<!-- reference: screen NAME -->``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .documents import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
FOLDER = "tutorial"
WIDTH = 100
"""Columns of the terminal whose output is published."""
QUICKSTART = (
    "leukobench synthetic results/synthetic-smears --images 480 --patients 48",
    "leukobench run quickstart.yaml",
)
_PART = re.compile(r"```(yaml|sh)\n(.*?)```\n((?:(?!```)[^<]|<(?!!--))*<!-- reference: screen (\w+))?", re.DOTALL)
_ON_A_TERMINAL = """
import io, sys
from leukobench.cli import main

class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True

sys.stdout = Terminal(sys.stdout.detach(), encoding="utf-8", line_buffering=True)
main()
"""
"""The program, whose output is a terminal to it: a real one is not to be had everywhere."""
_PASSING = re.compile(r"(?m)^(Took .*|SHA-256: .*)\n")
"""Lines that differ from one time to the next."""
_BESIDE = re.compile(r"<a [^>]*?href=\"(?!#|https?:|data:)[^\"]+\"[^>]*>(.*?)</a>", re.DOTALL)
"""Links of a report to other files of its run, which are not published with it."""


def follow(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Do in `folder` what `page` says, one block after another; name and output of each block that has a name."""
    for kind, text, _, name in _PART.findall(page):
        if kind == "yaml":
            first, _, rest = text.partition("\n")
            (folder / first.removeprefix("# ")).write_text(rest, encoding="utf-8")
        else:
            output = "".join(screen(command, folder) for command in text.splitlines() if not command.startswith("#"))
            if name:
                yield name, output


def screen(command: str, folder: Path) -> str:
    """What a terminal shows of a command, without progress and without what differs from time to time.

    Raises
    ------
    subprocess.CalledProcessError
    """
    _, *arguments = shlex.split(command)
    environment = os.environ | {"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1"}
    program = [sys.executable, "-c", _ON_A_TERMINAL, *arguments]
    shown = subprocess.run(
        program, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True
    )
    return _PASSING.sub("", shown.stdout.decode())


def publish_tutorial(results: Path, reference: Path) -> None:
    """Run the quickstart and the tutorial in an empty folder, and publish what the screen showed, and one report."""
    folder = results / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "quickstart.yaml", folder)
    *_, first = [screen(command, folder) for command in QUICKSTART]
    target = reference / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for name, text in [("quickstart", first), *follow(PAGE.read_text(encoding="utf-8"), folder)]:
        (target / f"{name}.txt").write_text(text.replace(f"{folder}/", ""), encoding="utf-8")
    report = (folder / "results" / "quickstart" / "report.html").read_text(encoding="utf-8")
    (target / "report.html").write_text(_BESIDE.sub(r"\1", report).replace(f"{folder}/", ""), encoding="utf-8")
