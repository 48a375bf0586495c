"""``leukobench explain``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .options import PATH, bundle_options, code_option
from .output import answer, json_option


@click.command()
@bundle_options
@code_option
@json_option
@click.option("--out", default="explanations", show_default=True, type=PATH, help="Output folder.")
@click.option(
    "--method",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "occlusion", "cam"]),
    help="cam: class-activation map, where the classifier is linear in average-pooled features.",
)
def explain(
    bundle: Path,
    images: tuple[Path, ...],
    level: float,
    digest: str | None,
    workers: int | None,
    out: Path,
    method: str,
) -> None:
    """Show which regions of IMAGES influenced the prediction of BUNDLE: overlays (PNG) and explanations.json in --out.

    Exit status: 0 when every image was explained, 1 when some could not be read, 2 for any other error.
    """
    from ..runs.progress import on_screen
    from ..serving.bundle import load
    from ..serving.explanation_output import write_explanations
    from ..serving.output import closing_lines
    from ..serving.request import find_images

    paths, others = find_images(images)
    opened = load(bundle, digest, workers)
    lines, explanations = write_explanations(out, opened, list(paths), level, method, on_screen())
    answer([*lines, *closing_lines(others, [out])], {"folder": out, "explanations": explanations})
    sys.exit(int(any("method" not in one for one in explanations)))
