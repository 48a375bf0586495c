"""The commands that make bundles and ask them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--combination", nargs=3, metavar="EXTRACTOR SELECTOR CLASSIFIER", help="The winner by default.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder, or a file .zip; RUN/model by default.")
@click.option("--pictures", is_flag=True, help="Keep small pictures of the training images, as examples to be shown.")
@click.option("--workers", type=click.IntRange(1), help="Cores to use; all by default.")
def fit(
    run: Path, combination: tuple[str, str, str] | None, out: Path | None, pictures: bool, workers: int | None
) -> None:
    """Fit the winner of RUN (a folder below results/, or an experiment file) on all images: makes a bundle.

    A bundle answers for new images without TensorFlow, network access or the training images.
    """
    from .bundling import fit as fitting
    from .runs.progress import on_screen

    made = fitting.fit(run, combination, out, pictures, workers, on_screen())
    click.echo(f"{made.title}, fitted on all images, in {made.path}: read its model_card.md.\nDigest: {made.digest}")
    click.echo(f"Next:  leukobench predict {made.path} IMAGES    leukobench app {made.path}")


def _bundle_options(command: Any) -> Any:
    """Options of every command that asks a bundle about images."""
    options = [
        click.argument("bundle", type=click.Path(path_type=Path)),
        click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path)),
        click.option(
            "--level", default=0.95, show_default=True, type=float, help="How often sets hold the right class."
        ),
        click.option("--digest", help="Refuse the bundle unless this is its digest, which `fit` said."),
        click.option("--workers", type=click.IntRange(1), help="Cores to use; all by default."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_bundle_options
@click.option("--out", type=click.Path(path_type=Path), help="Write all of it: a file .csv, .parquet or .json.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option("--group", help="Regular expression on the paths; its group is the patient, who gets an answer, too.")
@click.option("--uncalibrated", is_flag=True, help="Probabilities as the benchmark computes them.")
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
    """Ask BUNDLE what IMAGES (files or folders) show.

    Exit status: 0 when every image was answered, 1 when some could not be read, 2 for a mistake in what was asked for.
    """
    import json

    from .runs.progress import on_screen
    from .serving import estimators
    from .serving import output as answers
    from .serving.bundle import load

    answers.check_out(out, bundle)
    found, others = answers.images_of(images)
    groups = answers.groups_of(found.values(), group)
    estimators.QUICKLY = True
    opened = load(bundle, digest, workers)
    said = opened.predict(list(found), groups=groups, level=level, calibrated=not uncalibrated, progress=on_screen())
    click.echo(json.dumps(said.to_json(), allow_nan=False) if as_json else "\n".join(answers.lines(said)))
    written = answers.write(said, out) if out else []
    for line in [f"Files that are no images: {others:,}"] * bool(others) + [f"In {path}" for path in written]:
        click.echo(line, err=as_json)
    sys.exit(int(any(row.error for row in said)))


@click.command()
@_bundle_options
@click.option("--out", default="explanations", show_default=True, type=click.Path(path_type=Path), help="A folder.")
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
    """Show what moved the decision of BUNDLE on IMAGES: overlays (PNG) and explanations.json in the folder --out.

    Exit status: 0 when every image was explained, 1 when some could not be read, 2 for a mistake in what was asked for.
    """
    from .runs.progress import on_screen
    from .serving import output as answers
    from .serving.bundle import load

    found, others = answers.images_of(images)
    opened = load(bundle, digest, workers)
    lines, refused = answers.explain_to(out, opened, list(found), level, method, on_screen())
    click.echo("\n".join([*lines, *[f"Files that are no images: {others:,}"] * bool(others), f"In {out}"]))
    sys.exit(int(refused > 0))


@click.command()
@click.argument("target", default="results", type=click.Path(path_type=Path))
@click.option(
    "--images", multiple=True, type=click.Path(path_type=Path), help="A folder on which benchmarks may be started."
)
@click.option("--results", type=click.Path(path_type=Path), help="Folder of runs where benchmarks land.")
@click.option("--host", default="localhost", show_default=True, help="Another address lets other machines in.")
@click.option("--port", type=click.IntRange(1, 65535), help="8501, or the next free one, by default.")
def app(target: Path, images: tuple[Path, ...], results: Path | None, host: str, port: int | None) -> None:
    """Open a web page on TARGET: a bundle, a run, or a folder of runs. Ctrl-C ends it.

    It asks for no password; nothing that is uploaded is kept.
    """
    from .app.launch import serve

    serve(target, images, host, port, results)
