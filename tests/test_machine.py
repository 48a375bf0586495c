"""How many cores may be used, and which source files the digest of a module covers."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joblib.externals.loky.backend import context

from leukobench import machine
from leukobench.machine import code_digest, cores, imported_modules

V2, V1 = "cpu.max", ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that joblib reads in place of /sys/fs/cgroup, on a machine with 8 cores."""
    (tmp_path / "cpu").mkdir()

    def moved(path: Any) -> Any:
        return str(path).replace("/sys/fs/cgroup", str(tmp_path))

    path = SimpleNamespace(exists=lambda name: os.path.exists(moved(name)))
    eight = SimpleNamespace(path=path, cpu_count=lambda: 8, sched_getaffinity=lambda process: set(range(8)), environ={})
    monkeypatch.setattr(context, "os", eight)
    monkeypatch.setattr(context, "open", lambda name: open(moved(name), encoding="utf-8"), raising=False)  # noqa: SIM115
    return tmp_path


def test_without_limits_every_core_is_used(cgroup: Path) -> None:
    assert cores() == 8


@pytest.mark.parametrize(("limit", "count"), [("max 100000", 8), ("200000 100000", 2), ("250000 100000", 3)])
def test_the_quota_of_a_container_is_respected(cgroup: Path, limit: str, count: int) -> None:
    (cgroup / V2).write_text(f"{limit}\n")
    assert cores() == count


@pytest.mark.parametrize(("quota", "count"), [("-1", 8), ("50000", 1), ("400000", 4)])
def test_the_quota_of_an_older_container_is_respected(cgroup: Path, quota: str, count: int) -> None:
    for name, text in zip(V1, (quota, "100000"), strict=True):
        (cgroup / name).write_text(f"{text}\n")
    assert cores() == count


def test_the_affinity_of_the_process_is_respected(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.os, "sched_getaffinity", lambda process: {1, 3, 5})
    assert cores() == 3
    (cgroup / V2).write_text("200000 100000\n")
    assert cores() == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be bound to cores here")
def test_a_process_bound_to_one_core_uses_one() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)


SOURCES = {
    "__init__.py": "",
    "ground.py": "",
    "folds/__init__.py": "",
    "folds/draw.py": "from ..ground import seed\n",
    "runner.py": "def run():\n    from .folds import draw\n",
    "scores.py": "from . import (\n    runner,\n    ground as below,\n)\n",
    "circle.py": "from .scores import mean\nfrom .circle_back import half\n",
    "circle_back.py": "from .circle import whole  # a comment\n",
    "report.py": "import os\nfrom os import path\nfrom .scores import mean as average\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of leukobench."""
    for name, source in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.setattr(machine, "_PACKAGE", tmp_path)
    caches = [item for item in vars(machine).values() if hasattr(item, "cache_clear")]
    for cached in caches:
        cached.cache_clear()
        monkeypatch.setattr(machine, cached.__name__, cached.__wrapped__)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "reached"),
    [
        ("ground", {"ground"}),
        ("folds.draw", {"folds.draw", "ground"}),
        ("runner", {"runner", "folds", "folds.draw", "ground"}),
        ("scores", {"scores", "runner", "folds", "folds.draw", "ground"}),
        ("circle", {"circle", "circle_back", "scores", "runner", "folds", "folds.draw", "ground"}),
        ("report", {"report", "scores", "runner", "folds", "folds.draw", "ground"}),
    ],
)
def test_imports_are_followed_however_deep(package: Path, module: str, reached: set[str]) -> None:
    assert machine.imported_modules(module) - {""} == reached


@pytest.mark.parametrize("name", SOURCES)
def test_the_digest_changes_with_what_is_imported_and_with_nothing_else(package: Path, name: str) -> None:
    before, without = code_digest("runner"), code_digest("runner", apart_from=frozenset({"ground"}))
    (package / name).write_text(SOURCES[name] + "changed = True\n")
    counts = name in {"runner.py", "folds/__init__.py", "folds/draw.py", "ground.py"}
    assert (code_digest("runner") != before) == counts
    assert (code_digest("runner", apart_from=frozenset({"ground"})) != without) == (counts and name != "ground.py")


def test_the_digest_depends_on_neither_order_nor_repetition(package: Path) -> None:
    assert code_digest("scores", "runner") == code_digest("runner", "scores") == code_digest("scores")
    assert code_digest("folds.draw") != code_digest("scores")


def test_scoring_reaches_the_folds_and_no_report() -> None:
    reached = imported_modules("evaluation.runner")
    assert {"evaluation.task", "evaluation.tuning"} <= reached
    assert not [name for name in reached if name.startswith(("reporting", "app", "cli"))]
