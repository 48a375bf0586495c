"""``leukobench synthetic``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH
from .output import echo


@click.command()
@click.argument("folder", type=PATH)
@click.option("--images", default=480, show_default=True, type=click.IntRange(4), help="Number of images.")
@click.option("--patients", default=48, show_default=True, type=click.IntRange(4), help="Number of patients.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def synthetic(folder: Path, images: int, patients: int, seed: int) -> None:
    """Draw synthetic smear images of four classes into FOLDER: for trying the tool, not for science."""
    from ..images.synthetic import draw_smears
    from ..runs.progress import count_progress, on_screen

    with count_progress(on_screen(), "drawing images") as report:
        draw_smears(folder, images, patients, seed, workers=-1 if images > 1000 else 1, progress=report)
    echo(f"{images} synthetic smear images of {patients} synthetic patients in {folder}")
