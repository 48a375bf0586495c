"""A finished run at a glance, in a notebook: verdicts, first sentences, the best combinations, a figure, its files."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from ..evaluation.combination_names import names_of
from ..evaluation.metrics import metric_of
from ..runs.finished import FinishedRun, Row
from .report.numbers import score_with_interval, short_title
from .report.sections.verdicts import verdicts

_SENTENCES, _ROWS = 3, 5
_FIGURE = "combinations.svg"
_LARGEST = 300_000
"""Bytes of a figure that a notebook holds with every look at a run."""
_COLOURS = {"good": "#1c9e77", "warn": "#d99000", "bad": "#d64541", "note": "#4f8fbf"}
# Text keeps the notebook's own colour, and backgrounds let its page through: so it reads in light and dark.
_STYLE = """<style>
.lb-run { max-width: 62rem; } .lb-run h4 { margin: .2rem 0 .5rem; } .lb-run p { margin: .35rem 0; }
.lb-badges { display: flex; flex-wrap: wrap; gap: .4rem; margin: .5rem 0; }
.lb-badge { border-left: 4px solid var(--c); padding: .2rem .6rem;
  background: color-mix(in srgb, var(--c) 16%, transparent); }
.lb-badge small { display: block; opacity: .75; }
.lb-run table { border-collapse: collapse; margin: .5rem 0; } .lb-run table, .lb-run tr { background: transparent; }
.lb-run th, .lb-run td { text-align: left; padding: .2rem .7rem; color: inherit; background: transparent;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.lb-run td.n { white-space: nowrap; font-variant-numeric: tabular-nums; } .lb-run tr.other { opacity: .75; }
.lb-run img { display: block; max-width: 100%; background: #fff; padding: .4rem; }
</style>"""


class Results(FinishedRun):
    """A finished run that a notebook shows at a glance; see `FinishedRun` for what it holds."""

    def _repr_html_(self) -> str:
        """For a notebook."""
        return run_view(self)


def load_results(path: str | Path) -> Results:
    """Open the folder of a finished run.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Results
        Leaderboard, scores, predictions, images, folds and answer; see `leukobench.runs.finished.FinishedRun`.

    Raises
    ------
    ConfigurationError, StorageError
        There is no finished run, an older version wrote it, or it is damaged.
    """
    return Results.open(path)


def run_view(run: FinishedRun) -> str:
    """HTML of a run: nothing in it is loaded from elsewhere, and no name is markup."""
    head = f"{run.name} · {run.written} · {len(run.images):,} images"
    badges = "".join(_badge(**{key: badge[key] for key in ("about", "state", "word", "text")})
                     for badge in verdicts(run.answer))  # fmt: skip
    parts = [
        f'<h4>{escape(head)}</h4><div class="lb-badges">{badges}</div>',
        *(f"<p>{escape(sentence)}</p>" for sentence in run.answer.sentences[:_SENTENCES]),
        _leaderboard(run),
        _figure(run),
        "".join(f"<p>{line}</p>" for line in _files(run)),
    ]
    return f'{_STYLE}<div class="lb-run">{"".join(parts)}</div>'


def _badge(about: str, state: str, word: str, text: str) -> str:
    return (
        f'<div class="lb-badge" style="--c: {_COLOURS[state]}" title="{escape(text)}">'
        f"<small>{escape(about)}</small><b>{escape(word)}</b></div>"
    )


def _leaderboard(run: FinishedRun) -> str:
    """The best combinations with their intervals; below them the strongest shortcut."""
    if not run.ranked:
        return ""
    rows = [*run.ranked[:_ROWS], *run.shortcuts[:1]]
    body = "".join(_row(row, run.metric) for row in rows)
    more = len(run.ranked) - _ROWS
    note = f"<p>… and {more:,} more combinations in <code>.leaderboard</code>.</p>" if more > 0 else ""
    score = f"{metric_of(run.metric).title} [95 % interval]"
    return f"<table><tr><th></th><th>combination</th><th>{escape(score)}</th></tr>{body}</table>{note}"


def _row(row: Row, metric: str) -> str:
    combination = row["kind"] == "combination"
    place = f"{row['rank']}{' =' if row.get('in_best_set') is True else ''}" if combination else "shortcut"
    name, score = escape(short_title(names_of(row))), escape(score_with_interval(metric, row))
    other = "" if combination else ' class="other"'
    return f'<tr{other}><td class="n">{place}</td><td>{name}</td><td class="n">{score}</td></tr>'


def _figure(run: FinishedRun) -> str:
    """As an image, in which no script runs."""
    file = run.folder / "figures" / _FIGURE
    try:
        data = file.read_bytes()
    except OSError:
        return ""
    if len(data) > _LARGEST:
        return ""
    encoded = base64.b64encode(data).decode()
    words = f"Every combination with its interval: {metric_of(run.metric).title}"
    return f'<img src="data:image/svg+xml;base64,{encoded}" alt="{escape(words)}">'


def _files(run: FinishedRun) -> Iterator[str]:
    rest = len(run.answer.sentences) - _SENTENCES
    if rest > 0:
        yield f"{rest} more sentences in <code>.answer.sentences</code>."
    yield f"Everything on one page: <code>{escape(str(run.folder / 'report.html'))}</code>"
    yield (
        "Tables: <code>.leaderboard</code>, <code>.predictions</code>, <code>.images</code>, <code>.scores</code>, "
        "<code>.folds</code>; any other file: <code>.table(name)</code>"
    )
