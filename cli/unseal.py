"""``leukobench unseal``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH, code_option, workers_option
from .output import echo


@click.command()
@click.argument("run_folder", metavar="RUN", type=PATH)
@workers_option
@code_option
def unseal(run_folder: Path, workers: int | None) -> None:
    """Open the sealed holdout of RUN (a folder below results/) once: score the winner on it and record that."""
    from ..runs.progress import on_screen
    from ..studies import holdout

    echo("\n".join(holdout.unseal(run_folder, workers, on_screen())))
