"""``leukobench synthetic``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH
from .output import answer, json_option


@click.command()
@click.argument("folder", type=PATH)
@click.option("--images", default=480, show_default=True, type=click.IntRange(4), help="Number of images.")
@click.option("--patients", default=48, show_default=True, type=click.IntRange(4), help="Number of patients.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option(
    "--sites",
    type=click.IntRange(2),
    help="Number of sites, each with a colour cast, blur and noise of its own (`evaluation: {leave_out: site}`).",
)
@click.option(
    "--confound",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="With --sites: share of each class's patients that are at the sites of that class.",
)
@json_option
def synthetic(folder: Path, images: int, patients: int, seed: int, sites: int | None, confound: float) -> None:
    """Draw synthetic smear images of four classes into FOLDER: for trying the tool, not for science."""
    if confound and not sites:
        raise click.UsageError("--confound needs --sites.")
    from ..images.synthetic import Smears, draw
    from ..images.synthetic_sites import Sites
    from ..runs.progress import count_progress, on_screen

    with count_progress(on_screen(), "drawing images") as report:
        smears = Smears(images, patients, seed, sites=Sites(sites, confound) if sites else None)
        draw(folder, smears, workers=-1 if images > 1000 else 1, progress=report)
    where = f" at {sites} synthetic sites" if sites else ""
    words = f"{images} synthetic smear images of {patients} synthetic patients{where} in {folder}"
    answer([words], {"folder": folder, "images": images, "patients": patients, "sites": sites, "seed": seed})
