"""``leukobench doctor``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .options import PATH
from .output import echo


@click.command()
@click.argument("results", default="results", type=PATH)
@click.option("--clean", is_flag=True, help="Delete what is damaged, orphaned or left over in the cache.")
def doctor(results: Path, clean: bool) -> None:
    """Say what is wrong with this machine, this installation or the cache, and what helps; within five seconds.

    RESULTS is the folder of runs. Exit status: 0; 1 where something would end a run.
    """
    from ..runs.costs import in_bytes
    from ..studies import cache_check
    from ..studies.doctor import examine

    findings, state = examine(results)
    if clean and state.unused:
        echo(f"Deleted from the cache: {in_bytes(cache_check.clean(state))}.")
        findings, _ = examine(results)
    for one in findings:
        echo(f"{one.level:8}{one.subject}: {one.words}")
        if one.fix:
            echo(f"{'':8}fix: {one.fix}")
    counts = [sum(one.level == level for one in findings) for level in ("problem", "note")]
    echo(f"{counts[0]} problem{'s' * (counts[0] != 1)}, {counts[1]} note{'s' * (counts[1] != 1)}.")
    sys.exit(min(counts[0], 1))
