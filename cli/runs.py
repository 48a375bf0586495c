"""``leukobench runs``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import PATH
from .output import answer, json_option

if TYPE_CHECKING:
    from ..studies.run_list import Entry

_GAP = "  "
_NOTE = "The verdicts on shortcuts and controls are on the best combination of each run."
_SORTS = ("time", "score", "name", "images")


def _conditions(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for key, equals, _ in pairs:
        if not (key.strip() and equals):
            raise click.BadParameter("expected KEY=VALUE, such as classifier=svm_rbf")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _moment(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    from ..studies.run_list import since

    try:
        return None if value is None else since(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; received {value!r}") from error


@click.command()
@click.argument("text", nargs=-1)
@click.option("--results", type=PATH, default="results", show_default=True, help="Folder of all runs.")
@click.option(
    "--where",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_conditions,
    help="extractor, selector or classifier: the best combination with it of each run; verdict (on shortcuts), "
    "controls, state, kind, metric; or a key of the experiment file, such as evaluation.folds=5. May be repeated.",
)
@click.option("--images", metavar="TEXT", default="", help="Part of the path of the images.")
@click.option("--since", metavar="DATE", callback=_moment, help="A date such as 2026-01-31, or 7d, 12h, 2w ago.")
@click.option("--sort", type=click.Choice(_SORTS), default="time", show_default=True, help="Newest or best first.")
@click.option("--best", is_flag=True, help="Which of these runs and combinations is the best on the same images.")
@json_option
def runs(
    text: tuple[str, ...],
    results: Path,
    where: dict[str, str],
    images: str,
    since: Any,
    sort: str,
    best: bool,
) -> None:
    """List the runs and studies in a folder of results: when, on how many images, the best combination, its score
    with 95 % interval, and the verdicts on shortcuts and on controls. Runs whose name, combination or images hold
    every TEXT are shown.

    --best refuses to rank runs that differ in images, labels, groups or folds, and says in what.
    """
    from ..app import processes
    from ..evaluation.combination_names import NAMES
    from ..studies.best_run import best_of
    from ..studies.run_list import Entry, Query, existing, select

    every = [Entry.of(one.folder, one.kind, one.state, one.words) for one in processes.find(existing(results))]
    chosen = select(every, Query(text, images, since, where, sort))
    if best:
        ranked = best_of(chosen)
        others = [one.row() for one in ranked.others]
        facts = {"best": ranked.best.row(), "others": others, "combinations": ranked.combinations}
        return answer(ranked.sentences(), facts | {"verdict": ranked.verdict, "controls": ranked.controls})
    words = f"No runs in {results} yet: `leukobench run --images FOLDER` makes one." if not every else ""
    words = words or ("" if chosen else f"None of {len(every)} runs and studies in {results} is so.")
    note = [_NOTE] if where.keys() & set(NAMES) and not words else []
    answer([words] if words else [*_lines(chosen), *note], {"runs": [one.row() for one in chosen]})


def _lines(entries: Sequence[Entry]) -> list[str]:
    """A table; on a narrow terminal the combination stands on a line of its own."""
    from ..evaluation.metrics import metric_of

    metrics = {one.score.metric for one in entries if one.score}
    heads = ["run", "date", "images", "score"]
    if len(metrics) == 1:
        heads[-1] = metric_of(*metrics).title
    rows = [_cells(one, several=len(metrics) > 1) for one in entries]
    heads += ["shortcuts", "controls"]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = [_line([*heads, "best combination"], widths)]
    lines.append("─" * (sum(widths) + (len(heads) - 1) * len(_GAP)))
    narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns
    for row in rows:
        line = _line(row, widths)
        if narrow and len(line) > narrow:
            line = f"{_line([*row[:-1], ''], widths)}\n{2 * _GAP}{row[-1]}"
        lines.append(line)
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        cell.rjust(width) if place == 2 else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return _GAP.join([*aligned, cells[-1]]).rstrip()


def _cells(entry: Entry, several: bool) -> list[str]:
    from ..evaluation.combination_names import short_name, title
    from ..evaluation.metrics import metric_of

    facts, score = entry.facts, entry.score
    value = names = ""
    if score:
        metric = metric_of(score.metric)
        value = f"{metric.title} " * several + metric.with_interval(score.value, score.low, score.high)
        names = title([short_name(one) for one in score.names])
    state = "" if entry.state == "finished" else f"{entry.state}: {entry.words}".replace("\n", " ").removesuffix(": ")
    kind = "" if entry.score or entry.kind == "Benchmark" else entry.kind
    words = "; ".join(filter(None, [names, kind, state, facts.failure]))
    images = f"{facts.images:,}" if facts.images else ""
    control = facts.control.name if facts.control else ""
    return [entry.name, f"{facts.time:%Y-%m-%d}" if facts.time else "", images, value, facts.verdict, control, words]
