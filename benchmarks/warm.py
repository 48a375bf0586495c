"""A finished run started again, as a whole process, and the help of the command line."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

NETWORKS = ("efficientnet_lite0", "mobilenetv2", "densenet121", "inceptionv3", "resnet101")


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    results = [
        {"command": "leukobench --help", "seconds": _median(["--help"], max(5, repeats)), "wanted": 0.3},
    ]
    with tempfile.TemporaryDirectory() as folder:
        experiment = {
            "images": str(images.resolve()),
            "extractors": [NETWORKS[0], *({name: {"weights": "random"}} for name in NETWORKS[1:])],
            "selectors": ["anova"],
            "classifiers": ["naive_bayes", "lda"],
        }
        path = Path(folder) / "warm.yaml"
        path.write_text(yaml.safe_dump(experiment))
        command = ["run", str(path), "--results", folder]
        _seconds(command)
        seconds = _median(command, max(5, repeats))
        results.append({"command": "a finished run of 5 extractors, again", "seconds": seconds, "wanted": 1.5})
    return results


def _median(command: list[str], repeats: int) -> float:
    return statistics.median(_seconds(command) for _ in range(repeats))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "leukobench", *command], check=True, capture_output=True)
    return time.perf_counter() - start
