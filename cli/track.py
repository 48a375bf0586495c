"""``leukobench track``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from .options import RUN
from .output import answer, json_option


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN)
@click.option(
    "--to",
    metavar="ADDRESS",
    required=True,
    envvar="MLFLOW_TRACKING_URI",
    show_envvar=True,
    help="The MLflow server, such as http://localhost:5000. Credentials come from the environment, never from here.",
)
@click.option("--experiment", default="leukobench", show_default=True, help="Of MLflow, in which the runs are listed.")
@json_option
def track(runs: tuple[Path, ...], to: str, experiment: str) -> None:
    """Send RUNS, folders below results/, to an MLflow server: one MLflow run each, with the experiment and versions as
    parameters, scores and intervals of the best combination, the verdicts, the leaderboard, figures, report and bundle.

    A run that is there already is recognised, and updated where it has got a bundle since.
    """
    from ..studies import track as tracking

    sent = {run.name: tracking.track(run, to, experiment) for run in runs}
    facts = {"runs": [{"name": name, **asdict(one)} for name, one in sent.items()]}
    answer([one.words(name) for name, one in sent.items()], facts)
