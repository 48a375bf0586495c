"""What was run, and what each choice of a combination is worth, over all published sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..page import strongest_control
from ..sets import NETWORKS, title_of
from .protocol import answer_of

if TYPE_CHECKING:
    import pandas as pd

NAMES = ["extractor", "selector", "classifier"]


def folders(reference: Path) -> list[str]:
    """Names of the published runs."""
    return sorted(path.parent.name for path in reference.glob("*/answer.json"))


def board_of(reference: Path, name: str) -> pd.DataFrame:
    """The leaderboard of a published run."""
    import pandas as pd

    return pd.read_csv(reference / name / "leaderboard.csv")


def runs(reference: Path) -> Iterator[str]:
    """Every published run with its size, its best combination and its strongest shortcut."""
    from leukobench.evaluation.metrics import metric_of

    head = ("folder", "what", "images", "combinations", "best of them [95 % interval]")
    yield f"| {' | '.join((*head, 'corrected for choosing it', 'strongest shortcut', 'strongest control'))} |"
    yield f"|---{'|---' * (len(head) + 2)}|"
    for name in folders(reference):
        answer, board = answer_of(reference, name), board_of(reference, name)
        best, metric = answer["best"], metric_of(answer["best"]["metric"])
        size = answer["protocol"][0].partition(" classes")[0].replace(" images in ", ", ")
        cells = [f"[{name}](../results/reference/{name})", title_of(name), f"{size} classes"]
        cells += [str(board["kind"].eq("combination").sum())]
        cells += [_interval(metric, best), _interval(metric, best, "corrected")]
        cells += [f"{answer['shortcut']['name']}: {_interval(metric, answer['shortcut'])}", strongest_control(answer)]
        yield f"| {' | '.join(cells)} |"


def _interval(metric: Any, facts: dict[str, Any], name: str = "value") -> str:
    ends = ("low", "high") if name == "value" else (f"{name}_low", f"{name}_high")
    return str(metric.with_interval(facts[name], *(facts[end] for end in ends)))


def best_by(reference: Path, part: str) -> Iterator[str]:
    """The best combination with each extractor, selector or classifier: its balanced accuracy in each set."""
    from leukobench.evaluation.metrics import BALANCED_ACCURACY

    names = [name for name in folders(reference) if not name.endswith(NETWORKS)]
    best = {}
    for name in names:
        board = board_of(reference, name)
        rows = board[board["kind"].eq("combination")].sort_values(BALANCED_ACCURACY.name, ascending=False)
        best[name] = rows.drop_duplicates(part).set_index(part)
    yield f"| best with this {part} | {' | '.join(title_of(name) for name in names)} |"
    yield f"|---{'|---' * len(names)}|"
    for choice in sorted(set().union(*(rows.index for rows in best.values()))):
        cells = [BALANCED_ACCURACY.of_row(rows.loc[choice]) if choice in rows.index else "" for rows in best.values()]
        yield f"| {choice} | {' | '.join(cells)} |"


def software(reference: Path, name: str = "all") -> Iterator[str]:
    """Versions that a run was made with."""
    import yaml

    resolved = yaml.safe_load((reference / name / "experiment.yaml").read_text(encoding="utf-8"))["resolved"]
    yield f"{', '.join(f'{package} {version}' for package, version in resolved['software'].items())}."


def ours(reference: Path) -> Iterator[str]:
    """Accuracies to stand beside those of papers: the best of each run, and what needs no look at the object."""
    from leukobench.evaluation.metrics import ACCURACY, AUROC

    yield "| set | row | accuracy [95 % interval] | AUROC [95 % interval] |"
    yield "|---|---|---|---|"
    for name in folders(reference):
        board = board_of(reference, name)
        for title, row in _rows(board):
            yield f"| {title_of(name)} | {title} | {ACCURACY.of_row(row)} | {AUROC.of_row(row)} |"


def _rows(board: pd.DataFrame) -> Iterator[tuple[str, dict[Any, Any]]]:
    """The best combination and trained network, the strongest shortcut, colour, and a network of random weights."""
    combinations = board[board["kind"].eq("combination")].sort_values("rank")
    kinds = [("best combination", combinations[combinations["extractor"].ne("pixels")])]
    kinds += [("best network trained end to end", combinations[combinations["extractor"].eq("pixels")])]
    shortcuts = board[board["kind"].eq("shortcut")].sort_values("balanced_accuracy", ascending=False)
    named = (("content", "content: whole-image colour"), ("never trained", "control: RANDOM"))
    kinds += [("strongest shortcut", shortcuts)]
    kinds += [(title, board[board["extractor"].str.startswith(start)]) for title, start in named]
    for title, rows in kinds:
        if len(rows):
            row = rows.iloc[0].to_dict()
            is_combination = row["kind"] == "combination"
            parts = [row[part] for part in NAMES] if is_combination else [row["extractor"].partition(": ")[2]]
            yield f"{title}: {' x '.join(parts)}", row
