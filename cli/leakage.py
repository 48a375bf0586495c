"""``leukobench leakage``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import ANY_PATH, IMAGE_OPTIONS, chosen_options, code_option, executor_of, image_options
from .output import answer, json_option, records_of


@click.command()
@click.argument("source", type=ANY_PATH)
@image_options
@click.option("--size", "sizes", multiple=True, type=click.IntRange(20), help="Images in a subsample (default: 200).")
@click.option("--all/--no-all", "whole", default=True, show_default=True, help="Also measure on all images.")
@click.option("--repeats", default=10, show_default=True, type=click.IntRange(1), help="Subsamples of each size.")
@code_option
@json_option
def leakage(
    source: Path,
    section: dict[str, Any],
    name: str | None,
    results: Path | None,
    workers: int | None,
    dask: str | None,
    sizes: tuple[int, ...],
    whole: bool,
    repeats: int,
) -> None:
    """Measure how much each kind of leak inflates the score, on SOURCE: a folder of images or an experiment file.

    The same combinations run under leaky and honest protocols: split by image or by group, copies across folds,
    selection, scaling or SMOTE before the split. For a folder of images, a few fast combinations are used.
    """
    from ..config.experiment_file import for_folder, read_experiment
    from ..reporting.leakage_figure import leakage_lines
    from ..runs.progress import on_screen
    from ..studies.leakage import CHOSEN, measure_leakage

    settings = chosen_options(name=name, results=results, executor=executor_of(dask))
    if source.suffix.lower() in (".yaml", ".yml"):
        if section:
            raise click.UsageError(f"{IMAGE_OPTIONS} need a folder of images; set them in the experiment file.")
        experiment = read_experiment(source, **settings)
    else:
        settings |= CHOSEN | {"images": section}
        experiment = for_folder(source, **settings)
    subsamples = [*(sizes or (200,)), *([None] if whole else [])]
    outcome = measure_leakage(experiment, subsamples, repeats, workers, on_screen())
    files = f"In {outcome.folder}: leakage.csv, summary.csv, leakage.png"
    facts = {"folder": outcome.folder, "protocol": outcome.lines, "summary": records_of(outcome.summary)}
    answer([*outcome.lines, "", *leakage_lines(outcome.summary), files], facts)
