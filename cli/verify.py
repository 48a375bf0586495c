"""``leukobench verify``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from .options import PATH, RUN, workers_option
from .output import answer, json_option


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN)
@click.option("--images", type=PATH, help="Folder of the images: compare their bytes with what the run read, too.")
@click.option("--rerun", type=PATH, help="A second run of the same experiment: compare its predictions, too.")
@workers_option
@json_option
def verify(run_folder: Path, images: Path | None, rerun: Path | None, workers: int | None) -> None:
    """Compute every number of RUN again from its predictions, and compare it with what its files say.

    RUN is a folder below results/, or one of published results. Exit status: 0 where all agrees; 1 where a number, a
    sentence or a digest does not; 2 for a mistake.
    """
    from ..machine import cores
    from ..processes.executors import Processes
    from ..runs.progress import on_screen
    from ..studies import verification

    outcome = verification.verify(run_folder, images, rerun, Processes(workers or cores()), on_screen())
    facts = {"folder": run_folder, "agrees": outcome.agrees, "tolerance": outcome.tolerance}
    facts |= {"checks": [asdict(one) | {"agree": one.agree} for one in outcome.checks]}
    answer(outcome.lines(), facts | {"unverified": [asdict(one) for one in outcome.unverified]})
    sys.exit(int(not outcome.agrees))
