"""``leukobench predict``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .options import PATH, bundle_options, code_option
from .output import echo


@click.command()
@bundle_options
@code_option
@click.option("--out", type=PATH, help="Output file with all columns: .csv, .parquet or .json.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option(
    "--group", help="Regular expression on the paths; its capture group is the patient ID. Adds one row per patient."
)
@click.option("--uncalibrated", is_flag=True, help="Probabilities as in the benchmark, without temperature.")
def predict(
    bundle: Path,
    images: tuple[Path, ...],
    level: float,
    digest: str | None,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    group: str | None,
    uncalibrated: bool,
) -> None:
    """Predict the class of IMAGES (files or folders) with BUNDLE.

    Exit status: 0 when every image has a prediction, 1 when some could not be read, 2 for any other error.
    """
    import json

    from ..runs.progress import on_screen
    from ..serving import output, request
    from ..serving.bundle import load

    request.check_output(out, bundle)
    paths, others = request.find_images(images)
    patients = request.find_patients(paths.values(), group)
    opened = load(bundle, digest, workers)
    predictions = opened.predict(
        list(paths), groups=patients, level=level, calibrated=not uncalibrated, progress=on_screen()
    )
    text = json.dumps(predictions.to_json(), allow_nan=False) if as_json else "\n".join(output.lines(predictions))
    echo(text)
    for line in output.closing_lines(others, output.write(predictions, out) if out else []):
        echo(line, err=as_json)
    sys.exit(int(any(row.error for row in predictions)))
