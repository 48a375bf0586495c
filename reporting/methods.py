"""A methods paragraph: what a run did, from its own protocol, with what it cites; and its leaderboard as a table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from ..evaluation.combination_names import NAMES, names_of, short_name
from ..evaluation.metrics import metric_of, overall_metrics
from ..runs.finished import FinishedRun, records
from ..storage import write_text
from .references import bibtex, cited_by
from .report.numbers import as_number, score_with_interval
from .text_tables import FORMATS, in_latex, in_markdown

_SOFTWARE = (
    "python", "scikit-learn", "imbalanced-learn", "xgboost-cpu", "xgboost", "keras", "openvino", "numpy", "scipy",
)  # fmt: skip
_LEGEND = "= beside a rank: it may be the best, with 95 % confidence. Intervals are 95 % intervals."
_CITATION = re.compile(r"\[@([\w-]+)\]")
_BESIDE = {
    "shortcut": "Shortcut baselines, which see no content,",
    "content": "Content rows, which see what may be content or shortcut,",
    "control": "Controls, which are no candidates,",
}


def write_paper(run: FinishedRun) -> None:
    """Write ``tables/leaderboard.md`` and ``.tex``, ``methods.md``, ``methods.tex`` and ``methods.bib``.

    Raises
    ------
    StorageError
    """
    folder = run.folder
    if not run.ranked or run.metric not in run.leaderboard:
        return
    for kind, ending in (("markdown", "md"), ("latex", "tex")):
        table = FORMATS[kind](*_board(run))
        legend = f"% {_LEGEND}" if ending == "tex" else f"\n{_LEGEND}"
        write_text(folder / "tables" / f"leaderboard.{ending}", f"{_writable(table)}\n{legend}\n")
    sentences = methods_sentences(run)
    write_text(folder / "methods.md", _writable(" ".join(map(_markdown, sentences))) + "\n")
    write_text(folder / "methods.tex", _writable(" ".join(map(_latex, sentences))) + "\n")
    write_text(folder / "methods.bib", bibtex(dict.fromkeys(_CITATION.findall(" ".join(sentences)))))


def _board(run: FinishedRun) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of everything that was scored: the ranking metric, and the others that rank."""
    metric = metric_of(run.metric)
    others = [one for one in overall_metrics() if one.name in run.leaderboard and one.name != metric.name]
    rows = []
    for row in records(run.leaderboard[run.leaderboard[metric.name].notna()]):
        among = " =" if row.get("in_best_set") is True else ""
        place = "" if math.isnan(as_number(row["rank"])) else f"{row['rank']}{among}"
        rows.append([place, *names_of(row), *(score_with_interval(one.name, row) for one in (metric, *others))])
    return ["rank", *NAMES, *(one.title for one in (metric, *others))], rows


def methods_sentences(run: FinishedRun) -> list[str]:
    """What was done, in sentences; ``[@key]`` cites an entry of `leukobench.reporting.references`."""
    return [one for one in (*_compared(run), *_images(run), *_evaluated(run), *_beside(run), _software(run)) if one]


def _compared(run: FinishedRun) -> list[str]:
    table = run.leaderboard[run.leaderboard["kind"] == "combination"]
    parts = [_listed(list(dict.fromkeys(table[name])), name) for name in NAMES]
    return [
        f"{_count(len(table), 'combination')} of {parts[0]}, {parts[1]} and {parts[2]} were compared "
        f"with leukobench {run.resolved['software'].get('leukobench', '')} [@leukobench]."
    ]


def _listed(names: Sequence[str], kind: str) -> str:
    cited = "".join(f" [@{key}]" for key in cited_by(names))
    return f"{_count(len(names), kind)} ({', '.join(map(short_name, names))}{cited})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def _images(run: FinishedRun) -> list[str]:
    """Images, groups, folds and weights: the run's own protocol, but for the controls, which have a sentence below."""
    extractors = set(run.leaderboard["extractor"])
    sentences = []
    for line in run.answer.protocol:
        named = any(line.startswith(f"{name}: ") for name in extractors)
        if not line.startswith("controls"):
            sentences.append(f"{line if named else line[:1].upper() + line[1:]}.")
    first = next((place for place, one in enumerate(sentences) if "ImageNet" in one), None)
    if first is not None:
        sentences[first] = f"{sentences[first][:-1]} [@imagenet]."
    return sentences


def _evaluated(run: FinishedRun) -> list[str]:
    metric, best, evaluation = metric_of(run.metric), run.answer.best, run.experiment_file.get("evaluation") or {}
    balance = str(evaluation.get("balance", ""))
    sentences = [
        f"Combinations were ranked by {metric.title} of the out-of-fold predictions; 95 % intervals are of the fitted "
        "models on new images or patients like these."
    ]
    if balance.startswith("smote"):
        sentences.append("Training folds were balanced by SMOTE [@smote].")
    if best and best.picked_among > 1:
        sentences.append(
            f"The combinations that may be the best were found by multiple comparisons with the best (95 % confidence, "
            f"bootstrap over groups, {evaluation.get('resamples', 1000):,} resamples), and the score of the best was "
            f"corrected for having been selected among {best.picked_among:,}."
        )
    return sentences


def _beside(run: FinishedRun) -> list[str]:
    """Rows that are no candidates."""
    table = run.leaderboard
    sentences = []
    for kind, words in _BESIDE.items():
        names = [str(name).partition(": ")[2] for name in table.loc[table["kind"] == kind, "extractor"]]
        if names:
            sentences.append(f"{words} were scored in the same folds: {', '.join(dict.fromkeys(names))}.")
    return sentences


def _software(run: FinishedRun) -> str:
    software: dict[str, Any] = run.resolved["software"]
    named = [f"{name} {software[name]}" for name in _SOFTWARE if name in software]
    return f"Software: {', '.join(named)} [@scikit-learn]." if named else ""


def _markdown(sentence: str) -> str:
    parts = _CITATION.split(sentence)
    return "".join(f"[@{part}]" if place % 2 else in_markdown(part) for place, part in enumerate(parts))


def _latex(sentence: str) -> str:
    parts = _CITATION.split(sentence)
    return "".join(rf"\cite{{{part}}}" if place % 2 else in_latex(part) for place, part in enumerate(parts))


def _writable(text: str) -> str:
    """Names of files need not be valid Unicode."""
    return text.encode("utf-8", "replace").decode()
