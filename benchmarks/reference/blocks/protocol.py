"""What a run says first: its protocol, its sentences, its views, and the verdict on permuted labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def answer_of(reference: Path, name: str) -> dict[str, Any]:
    """The answer of a published run."""
    answer: dict[str, Any] = json.loads((reference / name / "answer.json").read_text(encoding="utf-8"))
    return answer


def sentences(reference: Path, name: str = "all") -> Iterator[str]:
    """What a run says first, and what its quick combinations say with permuted labels."""
    answer = answer_of(reference, name)
    lines = [*answer["sentences"], answer["duplicates"]["words"], *permuted(reference, name)]
    yield "\n>\n".join(f"> {line}" for line in lines)


def protocol(reference: Path, name: str = "all") -> Iterator[str]:
    """The protocol of a run, and what it says."""
    answer = answer_of(reference, name)
    yield from (f"- {line}" for line in (*answer["protocol"], *answer["sentences"], answer["duplicates"]["words"]))


def permuted(reference: Path, name: str = "all") -> Iterator[str]:
    """The verdict on shuffled labels."""
    yield str(json.loads((reference / name / "permuted.json").read_text(encoding="utf-8"))["words"])


def views(reference: Path, name: str = "all") -> Iterator[str]:
    """How much lower the best combination is in each view of the images."""
    from leukobench.evaluation.metrics import metric_of
    from leukobench.reporting.verdicts import drop_words
    from leukobench.runs.view_answer import Views

    stored = Views.from_json(answer_of(reference, name)["views"])
    metric = metric_of(stored.metric)
    yield f"| {stored.images:,} images in a view | taken away | fitted anew | drop [95 % interval] | needed? |"
    yield "|---|---|---|---|---|"
    yield f"| untouched | nothing | {metric.with_unit(stored.untouched)} | | |"
    for one in stored.results:
        drop = drop_words(metric, one.drop, one.low, one.high)
        yield f"| {one.view} | {one.removes} | {metric.with_unit(one.value)} | {drop} | {one.verdict} |"
