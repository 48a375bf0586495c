"""``results/reference/index.html``: every published row on one page that filters, sorts and compares, offline."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .sets import title_of

if TYPE_CHECKING:
    import pandas as pd

    from leukobench.runs.control_answer import Control

TEMPLATES = Path(__file__).parent / "templates"
NAMES = ("extractor", "selector", "classifier")
KINDS = ("combination", "shortcut", "content", "control")
FILTERS = (
    *(("run", "run"), ("network", "extractor"), ("pooling", "pooling"), ("selector", "selector")),
    *(("classifier", "classifier"), ("kind", "kind")),
)
_WORDS = ("extractor", "selector", "classifier", "kind", "network", "pooling")
"""Columns of words, in the order of the rows of the page (``page.js``), after that of the run."""


def page(reference: Path) -> str:
    """The page of all runs that are published below `reference`."""
    import jinja2
    import pandas as pd
    from markupsafe import Markup

    from leukobench.evaluation.metrics import BALANCED_ACCURACY
    from leukobench.reporting.report.section import TEMPLATES as REPORT

    folders = published(reference)
    boards = [_board(pd.read_csv(folder / "leaderboard.csv")) for folder in folders]
    answers = [json.loads((folder / "answer.json").read_text(encoding="utf-8")) for folder in folders]
    data = _data(boards, [_facts(folder, answer) for folder, answer in zip(folders, answers, strict=True)])
    style = "".join(path.read_text(encoding="utf-8") for path in (REPORT / "report.css", TEMPLATES / "page.css"))
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    return environment.get_template("page.html").render(
        rows=f"{sum(map(len, boards)):,}",
        runs=[_line(folder, answer) for folder, answer in zip(folders, answers, strict=True)],
        metric=BALANCED_ACCURACY.title,
        filters=FILTERS,
        style=Markup(style),
        script=Markup(script),
        script_source=_source(script),
        data=Markup(text),
    )


def published(reference: Path) -> list[Path]:
    """Folders of runs, in the order of their titles on the page."""
    return sorted(path.parent for path in reference.glob("*/answer.json") if (path.parent / "leaderboard.csv").exists())


def _source(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _facts(folder: Path, answer: dict[str, Any]) -> dict[str, str]:
    """What is said of a run wherever one of its rows is compared."""
    from leukobench.evaluation.metrics import metric_of
    from leukobench.reporting.controls import control_lines

    shortcut = (answer["shortcut"] or {}).get("words", "no shortcut was scored")
    facts = {"title": title_of(folder.name), "shortcut": shortcut, "protocol": "; ".join(answer["protocol"])}
    return facts | {"controls": ". ".join(control_lines(controls_of(answer), metric_of(answer["best"]["metric"])))}


def controls_of(answer: dict[str, Any]) -> list[Control]:
    """Controls of a published answer, strongest first."""
    from leukobench.runs.control_answer import Control

    return [Control.from_json(one) for one in answer["controls"] or ()]


def strongest_control(answer: dict[str, Any]) -> str:
    """The strongest control with its score, and whether the best combination is better."""
    from leukobench.evaluation.metrics import metric_of

    metric = metric_of(answer["best"]["metric"])
    for one in controls_of(answer):
        reached = f"{one.name}: {metric.with_interval(one.value, one.low, one.high)}"
        return reached if one.beaten else f"{reached}, NOT BEATEN"
    return "none scored"


def _line(folder: Path, answer: dict[str, Any]) -> dict[str, str]:
    """A row of the table of runs."""
    from leukobench.evaluation.metrics import metric_of

    best, shortcut = answer["best"], answer["shortcut"]
    metric = metric_of(best["metric"])
    reached = metric.with_interval(shortcut["value"], shortcut["low"], shortcut["high"]) if shortcut else ""
    return {
        "folder": folder.name,
        "title": title_of(folder.name),
        "size": answer["protocol"][0].partition(";")[0],
        "best": " x ".join(best[name] for name in NAMES),
        "value": metric.with_interval(best["value"], best["low"], best["high"]),
        "corrected": metric.with_interval(best["corrected"], best["corrected_low"], best["corrected_high"]),
        "shortcut": f"{shortcut['name']}: {reached}" if shortcut else "none scored",
        "control": strongest_control(answer),
        "verdict": re.split("[:;,.]", shortcut["words"])[0] if shortcut else "",
        "groups": answer["groups"]["words"].partition(":")[0],
    }


def _board(board: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard with the network and the pooling of each extractor as columns."""
    pooling = board["extractor"].str.extract(r"pooling=(\w+)")[0]
    extracts = board["kind"].eq("combination") & board["extractor"].ne("pixels")
    return board.assign(
        network=board["extractor"].str.replace(r"\(.*", "", regex=True),
        pooling=pooling.where(pooling.notna(), extracts.map({True: "average", False: "no pooling"})),
    )


def _data(boards: Sequence[pd.DataFrame], facts: Sequence[dict[str, str]]) -> dict[str, Any]:
    """What ``page.js`` reads; rows as lists, whose words are places in lists of words."""
    from leukobench.evaluation.metrics import BALANCED_ACCURACY, overall_metrics

    columns = {name for board in boards for name in board}
    published = [metric for metric in overall_metrics() if metric.name in columns]
    metrics = sorted(published, key=lambda metric: metric.name != BALANCED_ACCURACY.name)
    words = {name: _words(name, boards) for name in _WORDS}
    ends = [f"{metric.name}{end}" for metric in metrics for end in ("", "_low", "_high")]
    rows = [
        [
            run,
            *(words[name].index(row[name]) for name in _WORDS),
            _whole(row["rank"]),
            int(row["in_best_set"] is True),
            _whole(row["features"]),
            _rounded(row["fit_s"], 3),
            *(_whole(10_000 * row.get(name, math.nan)) for name in ends),
        ]
        for run, board in enumerate(boards)
        for row in board.to_dict("records")
    ]
    shown = [
        {"title": metric.title, "percent": metric.unit == "percent", "up": metric.greater_is_better}
        for metric in metrics
    ]
    return {"metrics": shown, "runs": list(facts), "words": [[], *words.values()], "rows": rows}


def _words(name: str, boards: Sequence[pd.DataFrame]) -> list[str]:
    values = {str(value) for board in boards for value in board[name]}
    if name == "kind":
        return [kind for kind in KINDS if kind in values]
    return sorted(values, key=lambda text: (bool(re.match("shortcut|content|control", text)), text))


def _whole(value: float) -> int | None:
    return round(value) if math.isfinite(value) else None


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
