"""The house: what may import what, what is packaged, what a bare import costs."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "errors": 0, "registry": 0, "storage": 0,
    "choices": 0, "fast_forest": 1, "config": 1, "images": 1, "networks": 1,
    "audit": 2, "features": 2, "selection": 2, "classifiers": 2, "evaluation": 2,
    "reporting": 3, "serving": 3,
    "preparation": 4, "chosen_methods": 4, "pixels": 4, "head_to_head": 4,
    "pipeline": 5, "holdout": 5, "leakage": 5, "comparison": 5, "run_facts": 5, "network_fitting": 5,
    "planning": 6, "fitting": 6,
    "app": 7, "cli_bundles": 8, "cli": 9,
}  # fmt: skip
NOT_PACKAGED = {"tests", "benchmarks", "build", "docs", "results"}
SOURCES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not set(path.relative_to(ROOT).parts[:-1]) & NOT_PACKAGED and ".venv" not in path.parts
]
HEAVY = {"tensorflow", "keras", "openvino", "xgboost", "torch", "jax", "streamlit", "skops"}


def room(module: str) -> str:
    return module.partition(".")[0]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Rooms of leukobench that a file imports (and whether at import time), and foreign modules at import time."""
    tree = ast.parse(path.read_text())
    package = path.relative_to(ROOT).parts[:-1]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = [*base, *(node.module or "").split(".")] if node.module else [*base]
            found += [".".join(target)] if node.module or base else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("leukobench."):
            found.append((node.module or "").removeprefix("leukobench."))
    return [(name, True) for name in found if name]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_floors_below(path: Path) -> None:
    own = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own in ("__init__", "__main__"):
        return
    for module, _ in imports(path):
        target = room(module)
        if target != own and target in FLOORS:
            allowed = FLOORS[target] < FLOORS[own] or FLOORS[own] == 0 or target == "errors"
            assert allowed, f"{own} (floor {FLOORS[own]}) imports {target} (floor {FLOORS[target]})"


def test_every_folder_of_the_package_is_listed_in_setup_cfg() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    folders = {".".join(["leukobench", *p.parent.relative_to(ROOT).parts]) for p in SOURCES if p.name == "__init__.py"}
    assert listed == folders


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        pages = {"streamlit"} if "app" in path.relative_to(ROOT).parts else set()  # these are run by Streamlit
        assert not {room(name) for name in names} & HEAVY - pages


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 350


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_leukobench_loads_nothing_heavy() -> None:
    assert not loaded_by("import leukobench") & (HEAVY | {"numpy", "pandas", "sklearn"})


def test_help_and_the_command_line_load_nothing_heavy() -> None:
    assert not loaded_by("import leukobench.cli") & (HEAVY | {"numpy", "pandas", "sklearn", "pydantic", "rich"})


def test_a_rerun_loads_neither_scikit_learn_nor_the_statistics() -> None:
    code = "import sys, leukobench.pipeline, leukobench.config.experiment; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy.stats", "scipy.cluster", "sklearn", "matplotlib", "jinja2"} & set(done.stdout.split())


def test_public_names_resolve() -> None:
    import leukobench

    for name in leukobench.__all__:
        assert getattr(leukobench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = leukobench.nothing
