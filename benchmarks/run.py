"""Run the comparisons, and write their tables with machine, versions and command: ``make benchmarks IMAGES=FOLDER``."""

from __future__ import annotations

import argparse
import csv
import importlib
import sys
from pathlib import Path

from machine import machine, table

TARGET = Path(__file__).parent.parent / "results" / "reference" / "benchmarks"
KINDS = ("extraction", "precision", "selection", "grid", "warm", "serving", "growth", "large", "onnx_files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, help="one folder per class; the published figures are of the ALL images")
    parser.add_argument("--only", choices=KINDS, nargs="*", default=KINDS)
    parser.add_argument("--repeats", type=int, default=3, help="pairs of timings; the median counts")
    arguments = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    for kind in arguments.only:
        module = importlib.import_module(kind)
        rows = module.rows(arguments.images, arguments.repeats)
        with (TARGET / f"{kind}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        command = f"make benchmarks IMAGES=... ONLY={kind} REPEATS={arguments.repeats}"
        lines = [
            f"# {kind.capitalize()}",
            module.__doc__ or "",
            "",
            *table(rows),
            "",
            f"{machine()}.",
            "",
            f"`{command}`",
        ]
        (TARGET / f"{kind}.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
