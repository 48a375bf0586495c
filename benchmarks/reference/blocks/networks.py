"""Networks trained end to end beside frozen features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

NAMES = ["extractor", "selector", "classifier"]


def networks(reference: Path, name: str = "all") -> Iterator[str]:
    """Trained networks beside frozen features, and colour alone."""
    import pandas as pd

    from leukobench.evaluation.metrics import ACCURACY, ECE

    table = pd.read_csv(reference / f"{name}-networks" / "head_to_head.csv")
    titles = (ACCURACY.title, ECE.title)
    head = [f"{titles[0]} [95 % interval]", titles[1], "training per fold", "prediction per image", "weights"]
    yield f"| | {' | '.join(head)} |"
    yield f"|---{'|---' * len(head)}|"
    for row in table.to_dict("records"):
        cost = [f"{row['train_s']:.2g} s" if row["train_s"] < 10 else f"{row['train_s']:.0f} s"]
        cost += [f"{row['predict_ms']:.1f} ms", f"{row['parameters'] / 1e6:.1f} M"]
        combination = " x ".join(str(row[part]) for part in NAMES)
        scores = [ACCURACY.of_row(row), ECE.with_unit(row[ECE.name])]
        yield f"| {combination} ({row['trained']}) | {' | '.join([*scores, *cost])} |"
    board = pd.read_csv(reference / f"{name}-networks" / "leaderboard.csv")
    for row in board[board["extractor"] == "shortcut: colour"].to_dict("records"):
        yield f"| colour alone | {ACCURACY.of_row(row)} | | {row['fit_s']:.1f} s | | |"
