"""``leukobench compare``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH
from .output import echo


@click.command()
@click.argument("runs", nargs=-1, required=True, type=PATH)
@click.option("--metric", help="Metric of the leaderboards (default: the metric that ranks the first run).")
@click.option("--out", default="results/comparison", show_default=True, type=PATH, help="Output folder.")
def compare(runs: tuple[Path, ...], metric: str | None, out: Path) -> None:
    """Compare methods over several data sets: RUNS are folders below results/, each of a different data set.

    Friedman's test, Nemenyi's and Holm's post-hoc tests, and critical-difference diagrams.
    """
    from ..studies import comparison

    comparisons = comparison.compare_runs(runs, out, metric)
    echo("\n\n".join("\n".join(one.lines()) for one in comparisons))
    echo(f"\nIn {out}: ranks.csv, nemenyi.csv, diagrams of up to 20 methods")
