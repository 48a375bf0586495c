"""``leukobench fit``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH, code_option, workers_option
from .output import echo


@click.command()
@click.argument("run", type=PATH)
@click.option("--combination", nargs=3, metavar="EXTRACTOR SELECTOR CLASSIFIER", help="Default: the winner.")
@click.option("--out", type=PATH, help="Output folder, or a .zip file (default: RUN/model).")
@click.option("--pictures", is_flag=True, help="Store thumbnails of the training images, to show the nearest ones.")
@workers_option
@code_option
def fit(
    run: Path, combination: tuple[str, str, str] | None, out: Path | None, pictures: bool, workers: int | None
) -> None:
    """Fit the winner of RUN (a folder below results/, or an experiment file) on all images, and write a bundle.

    A bundle predicts the class of new images without TensorFlow, network access or the training images.
    """
    from ..bundling.fit import fit as fit_bundle
    from ..runs.progress import on_screen

    bundle = fit_bundle(run, combination, out, pictures, workers, on_screen())
    echo(f"{bundle.title}, fitted on all images, in {bundle.path}. Read its model_card.md.")
    echo(f"SHA-256: {bundle.digest}")
    for one in bundle.code:
        echo(f"It needs code that it does not contain: {one.words}")
    allowed = "".join(f" --allow-code {one.module}" for one in bundle.code)
    echo(f"Next:  leukobench predict {bundle.path} IMAGES{allowed}    leukobench app {bundle.path}{allowed}")
