"""``leukobench unseal``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import RUN, code_option, workers_option
from .output import answer, json_option


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN)
@workers_option
@code_option
@json_option
def unseal(run_folder: Path, workers: int | None) -> None:
    """Open the sealed holdout of RUN (a folder below results/) once: score the winner on it and record that."""
    from ..runs.progress import on_screen
    from ..studies import holdout

    lines = holdout.unseal(run_folder, workers, on_screen())
    answer(lines, {"folder": run_folder, "sentences": lines})
