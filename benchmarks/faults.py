"""What faults cost: runs and files that are disturbed in every way that we know, and what was lost or wrong after it.

``python benchmarks/faults.py`` tries everything, in less than an hour; ``--only kills flips --scale 0.1`` a
part of it, in a tenth of the number; ``--seed 1 --add`` more of it. Of what was tried, everything was as it
should be where it *held*; else there were wrong results (numbers other than those of an undisturbed run,
something damaged that was read as something else, an image that was taken for none), the command did not go on
to the end (or took more than two seconds to refuse a file), there was a traceback instead of a message, or
processes, files or shared memory were left behind after the next run.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fault_watcher  # noqa: F401 - in this process, too
from fault_files import flips, hostile_experiments, hostile_images
from fault_leaks import many_runs
from fault_runs import clock_jumps, full_disks, kills, many_processes, one_after_another, power_cuts, together
from fault_trials import Place, Row

from machine import machine, table

TARGET = Path(__file__).parent.parent / "results" / "reference" / "faults"
PARTS: dict[str, tuple[Callable[[Place, int, int], Row], int]] = {
    "kills": (kills, 200),
    "power": (power_cuts, 60),
    "full": (full_disks, 200),
    "several": (one_after_another, 20),
    "flips": (flips, 120),
    "clock": (clock_jumps, 20),
    "together": (together, 8),
    "images": (hostile_images, 5_000),
    "experiments": (hostile_experiments, 2_000),
    "inside": (many_runs, 100),
    "processes": (many_processes, 40),
}
"""Part -> what tries it, and how often; of bits: in each file."""
_TITLES = {
    "kills": "kills",
    "power": "power cuts",
    "full": "full disks",
    "several": "one after another",
    "flips": "flipped bits",
    "clock": "clock jumps",
    "together": "four at once",
    "images": "hostile images",
    "experiments": "hostile experiment files",
    "inside": "runs in one process",
    "processes": "runs as processes",
}
_COUNTS = ("tried", "held", "wrong_results", "not_resumed", "tracebacks", "left_behind")
SHORT = {"several": 1, "flips": 1, "images": 50, "experiments": 30}


def tried(parts: dict[str, int], seed: int = 0) -> list[Row]:
    """Try each part as often as said, in a folder of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "place", **({"images": 24, "classifiers": ("lda",)} if parts == SHORT else {}))
        os.environ["LEUKOBENCH_CACHE"] = str(Path(folder) / "own-cache")
        for part, count in parts.items():
            begun = time.monotonic()
            rows.append(PARTS[part][0](place, count, seed))
            print(f"{rows[-1].to_mapping()}, {time.monotonic() - begun:.0f} s", flush=True)
    return rows


def write(rows: list[Row], add: bool = False) -> None:
    """Replace these rows of the published table, or add to them."""
    TARGET.mkdir(parents=True, exist_ok=True)
    file = TARGET / "faults.csv"
    published = {row["part"]: row for row in csv.DictReader(file.open())} if file.exists() else {}
    for row in rows:
        if add and row.part in published:
            before = published[row.part]
            for name in _COUNTS:
                setattr(row, name, getattr(row, name) + int(before[name]))
            row.notes.insert(0, before["notes"])
        published[row.part] = {name: str(value) for name, value in row.to_mapping().items()}
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0].to_mapping()))
        writer.writeheader()
        writer.writerows(published.values())
    parts = [f"- {_TITLES[part]}: {way.__doc__}" for part, (way, _) in PARTS.items()]
    lines = ["# Faults", __doc__ or "", *table(list(published.values())), "", *parts, "", f"{machine()}.", ""]
    (TARGET / "README.md").write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(PARTS), nargs="*", default=tuple(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the number of trials")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--add", action="store_true", help="add to the published numbers; needs another seed")
    parser.add_argument("--short", action="store_true", help="a few of most kinds, as in the tests; writes no table")
    arguments = parser.parse_args()
    counts = {part: max(1, round(PARTS[part][1] * arguments.scale)) for part in arguments.only}
    rows = tried(SHORT if arguments.short else counts, arguments.seed)
    if not arguments.short:
        write(rows, arguments.add)
    sys.exit(any(row.held < row.tried for row in rows))


if __name__ == "__main__":
    main()
