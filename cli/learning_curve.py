"""``leukobench learning-curve``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import RUN, code_option, dask_option, workers_option
from .output import answer, json_option, records_of


@click.command("learning-curve")
@click.argument("run_folder", metavar="RUN", type=RUN)
@click.option("--best", type=click.IntRange(1), help="Take this many of its best combinations alone (default: all).")
@click.option("--draws", default=2, show_default=True, type=click.IntRange(2), help="Subsamples of each size.")
@workers_option
@dask_option
@code_option
@json_option
def learning_curve(run_folder: Path, best: int | None, draws: int, workers: int | None, dask: str | None) -> None:
    """Show whether more patients would help: the grid of RUN (a folder below results/), trained on fewer.

    Every combination is trained on an eighth, a quarter and a half of the patients (images where none are known) of
    each training part, and tested on the same test parts; features come from the cache. Takes up to twice as long as
    the fits of the run; what is finished is kept.
    """
    from ..runs.progress import on_screen
    from ..studies.learning_curve import measure_learning_curve

    outcome = measure_learning_curve(run_folder, best, draws, workers, on_screen(), dask)
    files = f"In {outcome.folder}: learning_curve.csv, crossings.csv, learning_curve.png"
    tables = {"curves": records_of(outcome.table), "crossings": records_of(outcome.crossings)}
    answer([*outcome.lines, files], {"folder": outcome.folder, "sentences": outcome.lines, **tables})
