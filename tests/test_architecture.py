"""The architecture: what may import what, what is packaged, what a bare import costs."""

from __future__ import annotations

import ast
import configparser
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import leukobench

ROOT = Path(__file__).parent.parent
LAYERS = {
    "errors": 0, "storage": 1, "machine": 2, "plugins": 2, "remote": 2, "processes": 3, "registry": 3,
    "images": 4, "networks": 4,
    "audit": 5, "features": 5, "selection": 5, "classifiers": 5, "evaluation": 5,
    "config": 6, "runs": 7, "reporting": 8, "serving": 8, "steps": 9, "pipeline": 10, "bundling": 11, "studies": 12,
    "app": 13, "cli": 14, "__main__": 15,
}  # fmt: skip
"""Package, or module at the root -> its layer: it imports only from layers below. `__init__` imports nothing."""
ALLOWED = {("selection", "classifiers.forest"): "a selector may rank features with an estimator of classifiers"}
ROOT_FILES = {"__init__", "__main__", "pipeline", "errors", "registry", "storage", "machine"}
NOT_PACKAGED = {"tests", "benchmarks", "build", "docs", "results"}
SOURCES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not set(path.relative_to(ROOT).parts[:-1]) & NOT_PACKAGED and ".venv" not in path.parts
]
HEAVY = {"tensorflow", "keras", "openvino", "xgboost", "torch", "jax", "streamlit", "skops"}


def top(module: str) -> str:
    """Package of a module, or the module itself where it stands at the root."""
    return module.partition(".")[0]


@functools.cache
def tree(source: str) -> ast.Module:
    """Syntax tree of a source."""
    return ast.parse(source)


def without_types(source: str) -> str:
    """A source without what stands at its top under ``if TYPE_CHECKING``, for editors alone."""
    nodes = [node for node in tree(source).body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node))]
    return ast.unparse(ast.Module(nodes, []))


@functools.cache
def imports(source: str, package: tuple[str, ...]) -> set[str]:
    """Modules of leukobench that a source in `package` imports, at its top or inside its functions."""
    found: set[str] = set()
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            elif top(node.module or "") == "leukobench":
                base = (node.module or "").split(".")[1:]
            else:
                continue
            base = [part for part in base if part]
            found |= {".".join(base)} if base else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[2] for alias in node.names if top(alias.name) == "leukobench"}
    return found - {""}


def forbidden(own: str, source: str, package: tuple[str, ...] = ()) -> list[str]:
    """What a source of the package or module `own` imports from its own layer or from layers above."""
    return [
        module
        for module in sorted(imports(source, package))
        if top(module) != own
        and (own, module) not in ALLOWED
        and not top(module).startswith("__")
        and not (top(module) in LAYERS and own in LAYERS and LAYERS[top(module)] < LAYERS[own])
    ]


def test_a_package_imports_only_from_layers_below() -> None:
    crossing = {}
    for path in SOURCES:
        own = top(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if own == "__init__":
            crossing[path] = [name for name in imports(without_types(path.read_text()), ()) if top(name) in LAYERS]
        else:
            assert own in LAYERS, f"{own} stands in no layer: add it to LAYERS"
            crossing[path] = forbidden(own, path.read_text(), path.relative_to(ROOT).parts[:-1])
    assert not {str(path): modules for path, modules in crossing.items() if modules}


@pytest.mark.parametrize(
    ("own", "package", "source"),
    [
        ("storage", (), "from .pipeline import run"),
        ("storage", (), "def later():\n    from . import pipeline"),
        ("errors", (), "from .storage import digest"),
        ("evaluation", ("evaluation",), "from ..features.cache import FeatureCache"),
        ("evaluation", ("evaluation", "statistics"), "from ...config.experiment import Evaluation"),
        ("config", ("config",), "import leukobench.runs.folder"),
        ("images", ("images",), "from leukobench.unlisted import anything"),
        ("unlisted", ("unlisted",), "from ..errors import LeukobenchError"),
        ("selection", ("selection",), "from ..classifiers.svm import svm_rbf"),
    ],
)
def test_the_guard_sees_what_crosses_the_layers(own: str, package: tuple[str, ...], source: str) -> None:
    assert forbidden(own, source, package)


def test_an_editor_completes_what_a_bare_import_offers() -> None:
    source = (ROOT / "__init__.py").read_text()
    named = {alias.name for node in ast.walk(tree(source)) if isinstance(node, ast.ImportFrom) and node.level
             for alias in node.names}  # fmt: skip
    assert named == set(leukobench.__all__) - {"__version__"}
    assert not named & ({path.name for path in ROOT.iterdir() if path.is_dir()} | ROOT_FILES)  # no module hides one


def test_no_other_python_file_stands_at_the_root() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == ROOT_FILES


def test_the_imports_that_identities_follow_are_those_of_the_syntax_tree() -> None:
    from leukobench.machine import imported_modules

    for path in SOURCES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name and name != "app.main":  # a script, which imports by the package's name
            named = imports(path.read_text(), path.relative_to(ROOT).parts[:-1]) - {"__version__"}
            assert named <= imported_modules(name), path


def test_every_folder_of_the_package_is_listed_in_setup_cfg() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    folders = {".".join(["leukobench", *p.parent.relative_to(ROOT).parts]) for p in SOURCES if p.name == "__init__.py"}
    assert listed == folders


def test_heavy_libraries_are_imported_inside_functions() -> None:
    for path in SOURCES:
        pages = {"streamlit"} if "app" in path.relative_to(ROOT).parts else set()  # these are run by Streamlit
        for node in tree(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {top(name) for name in names} & HEAVY - pages, path


def test_openvino_is_loaded_by_its_owner_alone() -> None:
    """Else an older threading library may be loaded first, with which oneDAL cannot train forests in this process."""
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path.parent.name != "torch"]
    for path in [*SOURCES, *tests]:
        if path != ROOT / "networks" / "frameworks.py":
            assert not re.search(r"^\s*(import|from) openvino\b", path.read_text(), re.MULTILINE), path


def test_files_stay_small() -> None:
    assert not [str(path) for path in SOURCES if len(path.read_text().splitlines()) > 300]


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
    assert not {"scipy.stats", "scipy.cluster", "sklearn", "altair", "vl_convert", "jinja2"} & set(done.stdout.split())


def test_public_names_resolve() -> None:
    import leukobench

    for name in leukobench.__all__:
        assert getattr(leukobench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = leukobench.nothing
