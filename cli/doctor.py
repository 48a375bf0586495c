"""``leukobench doctor``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from .options import PATH
from .output import answer, echo, json_option, wants_json


@click.command()
@click.argument("results", default="results", type=PATH)
@click.option("--clean", is_flag=True, help="Delete what is damaged, orphaned or left over in the cache.")
@json_option
def doctor(results: Path, clean: bool) -> None:
    """Say what is wrong with this machine, this installation or the cache, and what helps; within five seconds.

    RESULTS is the folder of runs. Exit status: 0; 1 where something would end a run.
    """
    from ..runs.costs import in_bytes
    from ..studies import cache_check
    from ..studies.doctor import examine

    findings, state = examine(results)
    if clean and state.unused:
        echo(f"Deleted from the cache: {in_bytes(cache_check.clean(state))}.", err=wants_json())
        findings, _ = examine(results)
    lines = []
    for one in findings:
        lines += [f"{one.level:8}{one.subject}: {one.words}", *([f"{'':8}fix: {one.fix}"] if one.fix else [])]
    counts = [sum(one.level == level for one in findings) for level in ("problem", "note")]
    lines.append(f"{counts[0]} problem{'s' * (counts[0] != 1)}, {counts[1]} note{'s' * (counts[1] != 1)}.")
    answer(lines, {"problems": counts[0], "notes": counts[1], "findings": [asdict(one) for one in findings]})
    sys.exit(min(counts[0], 1))
