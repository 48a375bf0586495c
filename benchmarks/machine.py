"""The machine of a measurement, and how two programs are timed side by side."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from leukobench.machine import cores

PACKAGES = (
    "leukobench", "numpy", "scikit-learn", "scikit-learn-intelex", "scipy", "keras", "tensorflow-cpu", "openvino",
    "xgboost-cpu",
)  # fmt: skip


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{cores()} cores of {model}, {memory:.0f} GB; Python {platform.python_version()}, {', '.join(versions)}"


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function` in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_closing, function, *arguments).result()


def _closing(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function` and stop its workers, which would keep the process alive for five minutes."""
    from joblib.externals.loky import get_reusable_executor

    try:
        return function(*arguments)
    finally:
        get_reusable_executor().shutdown()


def in_turns(ways: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Measure all programs in turn, `repeats` times: what slows the machine down slows all of them."""
    rounds = [{name: way() for name, way in ways.items()} for _ in range(repeats)]
    return {name: [one[name] for one in rounds] for name in ways}


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows as a Markdown table."""
    columns = list(rows[0])
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return lines + [f"| {' | '.join(_cell(row[name]) for name in columns)} |" for row in rows]


def _cell(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
