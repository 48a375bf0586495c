"""The command line: one short function a command."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from . import __version__
from .cli_bundles import app, explain, fit, predict
from .errors import LeukobenchError


class _Commands(click.Group):
    """Turns a user's mistake into a message and an exit status, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except LeukobenchError as error:
            click.echo(f"leukobench: {error}", err=True)
            context.exit(error.exit_code)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            click.echo(f"leukobench: What it says could not be written: {error.strerror}.", err=True)
            context.exit(2)
        except KeyboardInterrupt:
            click.echo("\nInterrupted. What was finished is kept: the same command goes on from there.", err=True)
            context.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="leukobench")
def cli() -> None:
    """Deep image features and classical classifiers, compared honestly and fast."""
    with contextlib.suppress(FileNotFoundError):
        sys.path.append(str(Path.cwd()))  # a user's own module lies where the command is typed
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("leukobench").setLevel(logging.INFO)


def _image_options(command: Any) -> Any:
    """Options of every command that takes a folder of images."""
    options = [
        click.option("--layout", help="How paths tell labels; see `leukobench list layouts`. Found by itself."),
        click.option("--group", help="Regular expression on the path below the folder; its group is the patient."),
        click.option("--name", help="What is written lands in <results>/<name>/."),
        click.option("--results", type=click.Path(path_type=Path), help="Folder of all runs."),
        click.option(
            "--workers",
            type=click.IntRange(1),
            help="Cores to use, all by default; no number depends on it, but that trained networks round otherwise.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@click.argument("experiments", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder or manifest: runs the default experiment on it."
)
@_image_options
@click.option("--preset", help="In place of the default experiment: cnmc, dinobloom-probe, cnns, tamim2025.")
@click.option("--folds", type=click.IntRange(2), help="Folds of the cross-validation; 5 by default.")
@click.option("--permute", is_flag=True, help="Permute the labels first: then every score has to come out at chance.")
@click.option("--plan", is_flag=True, help="Only say what is to be computed, and about how long it will take.")
def run(
    experiments: tuple[Path, ...],
    images: Path | None,
    layout: str | None,
    group: str | None,
    name: str | None,
    results: Path | None,
    workers: int | None,
    preset: str | None,
    folds: int | None,
    permute: bool,
    plan: bool,
) -> None:
    """Run EXPERIMENTS (YAML files), or the default experiment on --images.

    A run that was stopped goes on where it was; a finished one shows its leaderboard again. Exit status: 0 when there
    are scores, 1 when every combination failed, or when permuted labels come out above chance, 2 for a mistake in what
    was asked for.
    """
    from .config import experiment_file as config

    if bool(experiments) == (images is not None):
        raise click.UsageError("Name experiment files, or one folder with --images.")
    if experiments and {layout, group, folds, preset} != {None}:
        raise click.UsageError("--layout, --group, --folds, --preset go with --images; an experiment file says them.")
    settings = _given(name=name, results=results)
    if images is not None:
        protocol = _given(folds=folds)
        said = {"images": _given(layout=layout, group=group), "evaluation": protocol, **settings}
        asked = [config.for_folder(images, preset, **said)]
    else:
        asked = [config.read_experiment(path, **settings) for path in experiments]
    if permute:
        asked = [experiment.permuted() for experiment in asked]
    if len({experiment.folder.absolute() for experiment in asked}) < len(asked):
        raise click.UsageError("Two of these experiments have one name: the second would overwrite the first.")
    sys.exit(max((_plan if plan else _run)(experiment, workers) for experiment in asked))


def _given(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _plan(experiment: Any, workers: int | None) -> int:
    """Plan one experiment of several: what stops it does not stop the next."""
    from .runs.progress import on_screen
    from .studies.plan import make_plan

    try:
        plan = make_plan(experiment, workers, on_screen())
    except LeukobenchError as error:
        click.echo(f"leukobench: {error}", err=True)
        return error.exit_code
    lines = plan.lines() if plan else ["Nothing to compute: this run was finished before."]
    click.echo("\n".join([f"Plan of {experiment.name}:", *lines]))
    return 0


def _run(experiment: Any, workers: int | None) -> int:
    """Run one experiment of several: what stops it does not stop the next."""
    from . import pipeline
    from .reporting.screen import show_leaderboard
    from .runs.progress import on_screen

    try:
        outcome = pipeline.run(experiment, workers, on_screen())
    except LeukobenchError as error:
        click.echo(f"leukobench: {error}", err=True)
        return error.exit_code
    show_leaderboard(outcome.leaderboard, outcome.protocol)
    click.echo("\n".join(["", *outcome.answer["sentences"], outcome.answer["duplicates"]["words"], ""]))
    click.echo(outcome.guide())
    return outcome.exit_code


@cli.command()
@click.argument("images", type=click.Path(path_type=Path))
@_image_options
def audit(
    images: Path, layout: str | None, group: str | None, name: str | None, results: Path | None, workers: int | None
) -> None:
    """Look for copies and for differences between the classes that are not in the cells, in the folder IMAGES.

    It is also the first step of every run. Nothing is deleted.
    """
    from . import pipeline
    from .config import experiment_file as config
    from .runs.progress import on_screen

    settings = _given(name=name, results=results)
    experiment = config.for_folder(images, images=_given(layout=layout, group=group), **settings)
    folder, summary = pipeline.audit(experiment, workers, on_screen())
    click.echo("\n".join(summary["lines"]))
    sheets = ["audit/sheets/"] * any((folder / "audit" / "sheets").glob("*.png"))
    click.echo(
        f"In {folder}: {', '.join(['audit/copies.parquet', 'audit/differences.csv', *sheets, 'ledger.parquet'])}"
    )


@cli.command()
@click.argument("source", type=click.Path(path_type=Path))
@_image_options
@click.option("--size", "sizes", multiple=True, type=click.IntRange(20), help="Images of a subsample; 200 by default.")
@click.option("--all/--no-all", "whole", default=True, show_default=True, help="Measure on all images too.")
@click.option("--repeats", default=10, show_default=True, type=click.IntRange(1), help="Subsamples of each size.")
def leakage(
    source: Path,
    layout: str | None,
    group: str | None,
    name: str | None,
    results: Path | None,
    workers: int | None,
    sizes: tuple[int, ...],
    whole: bool,
    repeats: int,
) -> None:
    """Measure what each kind of leak adds to the score, on SOURCE: a folder of images, or an experiment file.

    The same combinations run under leaky and honest protocols: split by image or by group, copies across folds,
    selection, scaling or SMOTE before the split. On a folder of images they are a few that end within minutes.
    """
    from .config import experiment_file as config
    from .reporting.leakage_figure import leakage_lines
    from .runs.progress import on_screen
    from .studies import leakage as measuring

    settings = _given(name=name, results=results)
    if source.suffix.lower() in (".yaml", ".yml"):
        if (layout, group) != (None, None):
            raise click.UsageError("--layout, --group go with a folder of images; an experiment file says them.")
        experiment = config.read_experiment(source, **settings)
    else:
        settings |= measuring.CHOSEN | {"images": _given(layout=layout, group=group)}
        experiment = config.for_folder(source, **settings)
    wanted = [*(sizes or (200,)), *([None] if whole else [])]
    outcome = measuring.measure_leakage(experiment, wanted, repeats, workers, on_screen())
    click.echo("\n".join([*outcome.lines, "", *leakage_lines(outcome.summary)]))
    click.echo(f"In {outcome.folder}: leakage.csv, summary.csv, leakage.png")


@cli.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1), help="Cores to use; all by default.")
def unseal(run_folder: Path, workers: int | None) -> None:
    """Open the sealed holdout of RUN (a folder below results/), once: score the winner on it, and record that."""
    from .runs.progress import on_screen
    from .studies import holdout

    click.echo("\n".join(holdout.unseal(run_folder, workers, on_screen())))


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--metric", help="Column of the leaderboards; by default what the first run is ranked by.")
@click.option("--out", default="results/comparison", show_default=True, type=click.Path(path_type=Path))
def compare(runs: tuple[Path, ...], metric: str | None, out: Path) -> None:
    """Compare methods over several data sets: RUNS are folders below results/, each of another data set.

    Friedman's test, Nemenyi's and Holm's post-hoc tests, and critical-difference diagrams.
    """
    from .studies import comparison

    found = comparison.compare_runs(runs, out, metric)
    click.echo("\n\n".join("\n".join(one.lines()) for one in found))
    click.echo(f"\nIn {out}: ranks.csv, nemenyi.csv, diagrams of up to 20 methods")


@cli.command(name="list")
@click.argument("family", type=click.Choice(["extractors", "selectors", "classifiers", "cnns", "layouts"]))
def list_(family: str) -> None:
    """Show every name of a FAMILY with its parameters and their defaults."""
    from .reporting import catalogue

    for line in catalogue.lines(family):
        click.echo(line)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--images", default=480, show_default=True, type=click.IntRange(4), help="How many to draw.")
@click.option("--patients", default=48, show_default=True, type=click.IntRange(4), help="How many patients.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def synthetic(folder: Path, images: int, patients: int, seed: int) -> None:
    """Draw synthetic smear images of four classes into FOLDER: for trying the tool, not for science."""
    from .images.synthetic import draw_smears
    from .runs.progress import counted, on_screen

    with counted(on_screen(), "drawing images") as report:
        draw_smears(folder, images, patients, seed, workers=-1 if images > 1000 else 1, progress=report)
    click.echo(f"{images} synthetic smear images of {patients} synthetic patients in {folder}")


for _command in (fit, predict, explain, app):
    cli.add_command(_command)


def main() -> None:
    """Entry point of the console script."""
    try:
        cli()
    except SystemExit as ended:
        if sys.argv[1:2] == ["predict"]:
            _leave(ended.code)
        raise


def _leave(code: int | str | None) -> None:
    """End at once: to take the libraries down one by one would be a fifth of the time that one image takes."""
    status = code if isinstance(code, int) else int(code is not None)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):  # it is full, or closed
            status = status or 2
    os._exit(status)
