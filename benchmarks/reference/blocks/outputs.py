"""Every file and column that is written: ``docs/columns.yaml`` as Markdown; the metrics; the words of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[3] / "docs" / "columns.yaml"


def outputs(reference: Path) -> Iterator[str]:
    """A heading a command, and beneath it one a table, with a row a column."""
    import yaml

    described = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    for section in described["sections"]:
        yield from ("", f"## {section['title']}", *([f"`{section['folder']}/`", ""] if section["folder"] else []))
        yield section["words"]
        for name, table in section["tables"].items():
            yield from _table(name, table, described["shared"])
        if section["files"]:
            yield from ("", "| other files | what they hold |", "|---|---|")
            yield from (f"| `{name}` | {words} |" for name, words in section["files"].items())


def _table(name: str, table: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### `{name}`", table["words"], "", "| column | type | unit | meaning |", "|---|---|---|---|")
    for column, own in table["columns"].items():
        kind, unit, meaning = own or shared[column]
        yield f"| `{column}` | {kind} | {unit} | {meaning.replace('|', chr(92) + '|')} |"


def metrics(reference: Path) -> Iterator[str]:
    """A row a metric, from the table of metrics."""
    from leukobench.evaluation.metrics import METRICS

    yield from ("| column | metric | stored as | better | guessing reaches | can rank |", "|---|---|---|---|---|---|")
    for name in METRICS.shipped_names():
        metric = METRICS.get(name)
        column = metric.columns(["<class>"])[0]
        unit = "share" if metric.unit == "percent" else "number"
        better = "higher" if metric.greater_is_better else "lower"
        guessing = "1 / classes" if callable(metric.chance) else "" if metric.chance is None else f"{metric.chance:g}"
        yield f"| `{column}` | {metric.title} | {unit} | {better} | {guessing} | {'yes' if metric.ranks else ''} |"


def glossary(reference: Path) -> Iterator[str]:
    """The words of a report, as it has them itself."""
    from leukobench.reporting.report.glossary import TERMS

    yield from ("| word | meaning |", "|---|---|")
    yield from (f"| {word} | {meaning} |" for word, meaning in TERMS.items())
