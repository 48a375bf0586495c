"""``leukobench run``."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import LeukobenchError
from .options import (
    ANY_PATH,
    IMAGE_OPTIONS,
    chosen_options,
    code_option,
    executor_of,
    image_options,
    limit_options,
    names_of,
)
from .output import answer, echo, json_option, records_of, wants_json

if TYPE_CHECKING:
    from ..config.experiment import Experiment
    from ..pipeline import Outcome


@click.command()
@click.argument("experiments", nargs=-1, type=ANY_PATH)
@click.option(
    "--images",
    type=ANY_PATH,
    help="Folder or manifest of images, also such as s3://bucket/folder: runs the default experiment on it.",
)
@image_options
@click.option(
    "--preset",
    shell_complete=names_of("presets"),
    help="Published protocol in place of the default experiment; see `leukobench list presets`.",
)
@click.option("--folds", type=click.IntRange(2), help="Number of cross-validation folds (default: 5).")
@click.option(
    "--split",
    type=click.Choice(["given", "ignore"]),
    help="Keep a split that comes with the images (train, validation, test; folds), or draw folds over all (default).",
)
@click.option(
    "--drop-leaks", is_flag=True, help="With --split given: leave patients and copies of the test part out of training."
)
@click.option("--leave-out", metavar="COLUMN", help="Also train without each site (scanner, batch ...) in turn.")
@click.option("--permute", is_flag=True, help="Sanity check: shuffle the labels; scores must drop to chance.")
@click.option("--permutations", type=click.IntRange(5, 999), help="How often --permute shuffles them (default: 19).")
@limit_options
@click.option(
    "--checkpoint",
    type=ANY_PATH,
    metavar="PLACE",
    help="Copy the run's folder there while it works, such as s3://bucket/runs; another machine goes on from there.",
)
@click.option(
    "--track",
    metavar="ADDRESS",
    help="Send the run to this MLflow server when it has ended, as `leukobench track` does later.",
)
@click.option("--plan", is_flag=True, help="Only estimate what would be computed, and how long it would take.")
@click.option("--wide", is_flag=True, help="Every column of the leaderboard, also where the terminal is narrow.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv", "json"]),
    help="The leaderboard alone on standard output, to be pasted or read by programs; json: with the answer.",
)
@json_option
@click.option(
    "--not-by-name", is_flag=True, hidden=True, help="Run code of your own only where --allow-code allows it."
)
@code_option
def run(
    experiments: tuple[Path, ...],
    images: Path | None,
    section: dict[str, Any],
    name: str | None,
    results: Path | None,
    workers: int | None,
    dask: str | None,
    preset: str | None,
    folds: int | None,
    split: str | None,
    drop_leaks: bool,
    leave_out: str | None,
    permute: bool,
    permutations: int | None,
    limits: dict[str, Any],
    budget: float | None,
    checkpoint: Path | None,
    track: str | None,
    plan: bool,
    wide: bool,
    form: str | None,
    not_by_name: bool,
) -> None:
    """Run EXPERIMENTS (YAML files), or the default experiment on a folder of images (--images FOLDER, or FOLDER).

    An interrupted run continues where it stopped; a finished run shows its leaderboard again. Exit status: 0 when
    there are scores; 1 when every combination failed, or when scores of shuffled labels are above chance; 2 for any
    other error; 130 after Ctrl-C, 143 after SIGTERM. A script's shell hides Ctrl-C (SIGINT) from what it starts in the
    background: end that with `kill PID`.
    """
    from ..config import experiment_file
    from ..plugins.permission import allowing

    if images is None and len(experiments) == 1 and not experiment_file.is_experiment_file(experiments[0]):
        (images,), experiments = experiments, ()
    if bool(experiments) == (images is not None):
        raise click.UsageError("Name experiment files, or one folder with --images.")
    protocol = chosen_options(folds=folds, split=split, drop_leaks=drop_leaks or None, leave_out=leave_out)
    if experiments and (section or protocol or preset):
        raise click.UsageError(
            f"{IMAGE_OPTIONS}, --folds, --split, --drop-leaks, --leave-out, --preset go with --images; "
            "set them in the experiment file."
        )
    settings = chosen_options(name=name, results=results, executor=executor_of(dask), checkpoint=checkpoint)
    if images is not None:
        sections = {"images": section, "evaluation": protocol}
        planned = [experiment_file.for_folder(images, preset, **sections, **settings)]
    else:
        planned = [experiment_file.read_experiment(path, **settings) for path in experiments]
    if permute or permutations:
        planned = [experiment.with_permuted_labels(permutations) for experiment in planned]
    if limits:
        planned = [_limited(experiment, limits) for experiment in planned]
    if len({experiment.folder.absolute() for experiment in planned}) < len(planned):
        raise click.UsageError("Two of these experiments have the same name: the second would overwrite the first.")
    if track is not None:
        from ..studies.track import check_tracking

        check_tracking(track)
    of_runs = not_by_name or any(map(experiment_file.is_of_run, experiments))
    with allowing(by_name=not of_runs):
        show = partial(_show, wide=wide, form="json" if wants_json() else form)
        ends = [_plan(one, workers) if plan else _run(one, workers, budget, show, track) for one in planned]
    sys.exit(max(ends))


def _limited(experiment: Experiment, limits: dict[str, Any]) -> Experiment:
    changed = experiment.evaluation.limits.model_copy(update=limits)
    return experiment.model_copy(update={"evaluation": experiment.evaluation.model_copy(update={"limits": changed})})


def _plan(experiment: Experiment, workers: int | None) -> int:
    """Plan one experiment of several: what stops it does not stop the next."""
    from ..runs.progress import on_screen
    from ..studies.plan import make_plan

    try:
        plan = make_plan(experiment, workers, on_screen())
    except LeukobenchError as error:
        echo(f"leukobench: {error}", err=True)
        return error.exit_code
    lines = plan.lines() if plan else ["Nothing to compute: this run was finished before."]
    answer([f"Plan of {experiment.name}:", *lines], {"name": experiment.name, "plan": asdict(plan) if plan else None})
    return 0


def _run(
    experiment: Experiment,
    workers: int | None,
    budget: float | None,
    show: Callable[[Outcome], None],
    to: str | None,
) -> int:
    """Run one experiment of several, and track it: what stops it does not stop the next."""
    from .. import pipeline
    from ..runs.progress import on_screen

    try:
        outcome = pipeline.run(experiment, workers, on_screen(), budget or math.inf)
    except LeukobenchError as error:
        echo(f"leukobench: {error}", err=True)
        return error.exit_code
    show(outcome)
    return max(outcome.exit_code, _track(outcome, to) if to else 0)


def _track(outcome: Outcome, to: str) -> int:
    """The run is finished, whether a server takes it or not."""
    from ..studies.track import track

    try:
        echo(track(outcome.results, to).words(outcome.results.name), err=True)
    except LeukobenchError as error:
        echo(f"leukobench: {error}", err=True)
        return error.exit_code
    return 0


def _show(outcome: Outcome, wide: bool, form: str | None) -> None:
    """The leaderboard and the answer; where a program reads standard output, the rest goes to standard error."""
    from ..reporting import screen
    from ..reporting.report.sections.leaderboard import reasons_of

    results = outcome.results
    words = [
        "",
        *screen.without_repeats(outcome.answer.sentences, outcome.protocol),
        outcome.answer.duplicates.words,
        "",
        outcome.guide(),
    ]
    if form == "json":
        answer(words, {"answer": outcome.answer.to_json(), "leaderboard": records_of(results.leaderboard)})
        return
    if form:
        echo(screen.leaderboard_as(form, outcome.leaderboard, results.metric))
    else:
        reasons = reasons_of(results)
        screen.show_leaderboard(outcome.leaderboard, outcome.protocol, results.metric, reasons=reasons, wide=wide)
    echo("\n".join(words), err=form is not None)
