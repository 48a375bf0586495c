"""``leukobench compare``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .options import PATH, RUN
from .output import answer, json_option, records_of


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN)
@click.option("--metric", help="Metric of the leaderboards (default: the metric that ranks the first run).")
@click.option("--out", default="results/comparison", show_default=True, type=PATH, help="Output folder.")
@json_option
def compare(runs: tuple[Path, ...], metric: str | None, out: Path) -> None:
    """Compare RUNS, folders below results/: two on the same images, or several of different data sets.

    On the same images: what was changed, and which combinations became better or worse, with paired intervals where
    the folds are the same. Over data sets: Friedman's test, Nemenyi's and Holm's post-hoc tests, and
    critical-difference diagrams.
    """
    from ..runs.finished import FinishedRun
    from ..studies import comparison, same_images

    opened = [FinishedRun.open(path) for path in runs] if len(runs) == 2 else []
    if opened and same_images.share_images(opened[0], opened[1]):
        compared = same_images.compare_same_images(opened[0], opened[1], out, metric)
        table = [] if compared.refusal else [f"In {out}: {same_images.TABLE}"]
        facts: dict[str, Any] = {
            "changed": compared.changed,
            "refusal": compared.refusal,
            "metric": compared.metric.name,
        }
        facts["best"] = asdict(compared.best) if compared.best else None
        facts["alone"] = {run: asdict(one) for run, one in compared.alone.items()}
        answer([*compared.lines(), *table], facts | {"combinations": records_of(compared.table())})
        return
    comparisons = comparison.compare_runs(runs, out, metric)
    lines = [line for one in comparisons for line in (*one.lines(), "")]
    ranks = {one.kind: {"ranks": dict(one.comparison.ranks), "p": one.comparison.p} for one in comparisons}
    answer([*lines, f"In {out}: ranks.csv, nemenyi.csv, diagrams of up to 20 methods"], {"folder": out, **ranks})
