"""The check of a wheel's contents, which ``make wheel`` applies to a real one, sees what is missing and too much."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .check_wheel import ABOUT, ROOT, differences, promised


def wheel_of(folder: Path, paths: set[str]) -> Path:
    """A wheel whose files are empty."""
    wheel = folder / "leukobench-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for path in [*paths, *(f"leukobench-0.1.0.dist-info/{part}" for part in ABOUT)]:
            file.writestr(path, "")
    return wheel


def test_modules_and_data_of_every_package_are_promised() -> None:
    paths, empty = promised(ROOT)
    assert empty == []
    assert paths >= {"leukobench/__init__.py", "leukobench/py.typed", "leukobench/config/presets.yaml"}
    assert not {path for path in paths if path.split("/")[1] in ("tests", "benchmarks", "docs", "results")}
    rooms = {path.split("/")[1] for path in paths if path.count("/") > 1}
    files = {path.relative_to(ROOT) for room in rooms for path in (ROOT / room).rglob("*.*") if path.suffix != ".pyc"}
    assert {f"leukobench/{path.as_posix()}" for path in files if (ROOT / path).is_file()} <= paths, "package_data"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"leukobench/config/presets.yaml"}, "missing: leukobench/config/presets.yaml"),
        ({"leukobench/tests/conftest.py"}, "not ours to ship: leukobench/tests/conftest.py"),
        ({"benchmarks/run.py"}, "not ours to ship: benchmarks/run.py"),
    ],
)
def test_what_is_missing_or_too_much_is_seen(change: set[str], words: str, tmp_path: Path) -> None:
    paths, _ = promised(ROOT)
    assert differences(wheel_of(tmp_path, paths)) == []
    assert differences(wheel_of(tmp_path, paths ^ change)) == [words]


def test_a_pattern_without_files_is_seen(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text(
        "[options]\npackages =\n    leukobench\n[options.package_data]\nleukobench =\n    py.typed\n    *.css\n"
    )
    (tmp_path / "__init__.py").touch()
    (tmp_path / "py.typed").touch()
    wheel = wheel_of(tmp_path, {"leukobench/__init__.py", "leukobench/py.typed"})
    assert differences(wheel, tmp_path) == ["no file in leukobench: *.css"]
