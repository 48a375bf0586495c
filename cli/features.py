"""``leukobench features``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import ANY_PATH, PATH, code_option, workers_option
from .output import answer, json_option


@click.command()
@click.argument("source", metavar="RUN|IMAGES", type=ANY_PATH)
@click.option("--out", required=True, type=PATH, help="File .parquet to write.")
@click.option("--extractor", help="Name on the leaderboard, or of `leukobench list extractors` (default: the first).")
@workers_option
@code_option
@json_option
def features(source: Path, out: Path, extractor: str | None, workers: int | None) -> None:
    """Write the features of RUN (a folder below results/), or of a folder of IMAGES, as a table for other tools.

    One row an image: image_id (SHA-256 of the file), path, label, patient, and the features. Such a table enters a run
    again as `extractors: [{table: FILE, key: image_id}]`, as does one of embeddings that other tools computed.
    """
    from ..runs.progress import on_screen
    from ..studies.feature_export import export_features

    label, images = export_features(source, out, extractor, workers, on_screen())
    facts = {"file": out, "extractor": label, "images": images}
    answer([f"Features of {label} of {images:,} images in {out}."], facts)
