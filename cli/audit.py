"""``leukobench audit``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from .options import ANY_PATH, chosen_options, code_option, executor_of, image_options
from .output import answer, json_option


@click.command()
@click.argument("images", type=ANY_PATH)
@image_options
@code_option
@json_option
def audit(
    images: Path,
    section: dict[str, Any],
    name: str | None,
    results: Path | None,
    workers: int | None,
    dask: str | None,
) -> None:
    """Find copies of images, and class differences unrelated to what is pictured, in the folder IMAGES.

    This is also the first step of every run. Nothing is deleted.
    """
    from .. import pipeline
    from ..config.experiment_file import for_folder
    from ..runs.progress import on_screen

    settings = chosen_options(name=name, results=results, executor=executor_of(dask))
    experiment = for_folder(images, images=section, **settings)
    folder, summary = pipeline.audit_images(experiment, workers, on_screen())
    lines = [*summary["lines"][:1], *summary["warnings"], *summary["lines"][1:]]
    sheets = ["audit/sheets/"] if any((folder / "audit" / "sheets").glob("*.png")) else []
    tables = ["audit/copies.csv", "audit/copies.parquet", "audit/differences.csv", *sheets, "ledger.parquet"]
    lines.append(f"In {folder}: {', '.join(tables)}")
    if sheets:
        table = shlex.quote(str(folder / "audit" / "copies.csv"))
        lines.append(
            f"Write same or different into its column decision where you know better, and add --copies {table}"
        )
    answer(lines, {"folder": folder, "summary": summary})
