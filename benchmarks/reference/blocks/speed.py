"""How fast features are extracted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

_SPEED = ("leukobench, images/s", "Keras float32, images/s", "ratio", "share")


def extraction(reference: Path) -> Iterator[str]:
    """Speed of extraction beside Keras."""
    import pandas as pd

    table = pd.read_csv(reference / "benchmarks" / "extraction.csv")
    head = ["float32 / bfloat16", "Keras `predict`", "ratio [lowest to highest of three turns]"]
    head += ["share of the machine's matrix rate"]
    yield f"| images per second, from files to vectors | {' | '.join(head)} |"
    yield f"|---{'|---' * len(head)}|"
    for network, rows in table[table["precision"].isin(["float32", "bfloat16"])].groupby("network", sort=False):
        ours, keras, ratio, share = (rows[name].tolist() for name in _SPEED)
        turns = zip(ratio, rows["lowest"], rows["highest"], strict=True)
        spread = [f"{a:.2f}" + ("" if math.isnan(b) else f" [{b:.2f} to {c:.2f}]") for a, b, c in turns]
        cells = [" / ".join(f"{value:.3g}" for value in ours), f"{keras[0]:.3g}", " / ".join(spread)]
        cells += [" / ".join(f"{100 * value:.0f}%" for value in share)]
        yield f"| {network} | {' | '.join(cells)} |"


def benchmark(reference: Path, name: str, rows: str = "") -> Iterator[str]:
    """The table of a benchmark, or its first rows."""
    lines = (reference / "benchmarks" / f"{name}.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    yield from table[: 2 + int(rows)] if rows else table
