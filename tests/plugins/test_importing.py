"""Code of the user's own runs where he named or allowed it, and nothing else is called."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import CodeNotAllowedError, ConfigurationError, LeukobenchError, UnknownNameError
from leukobench.features.extractors import EXTRACTORS
from leukobench.images.layouts import get_layout
from leukobench.plugins.importing import load, load_module
from leukobench.plugins.permission import allowing, named_by_user, search_also, searched
from leukobench.plugins.places import code_of, own_code

SOURCE = """
from pathlib import Path
from sklearn.naive_bayes import GaussianNB
import {helper}

Path(__file__).with_name("ran").touch()


class Mine(GaussianNB):
    pass


def unmarked():
    return GaussianNB()
"""


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder with a module ``own_<number>`` that imports its neighbour, and with one that it does not name."""
    made = tmp_path / "mine"
    made.mkdir()
    name = module_of(made)
    (made / f"{name}.py").write_text(SOURCE.format(helper=f"{name}_helper"))
    (made / f"{name}_helper.py").write_text("ONE = 1\n")
    (made / f"{name}_other.py").write_text("")
    yield made
    for loaded in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[loaded]


def module_of(folder: Path) -> str:
    """Another name in every test, as modules of one process have to have."""
    return f"own_{abs(hash(folder)):x}"


def test_nothing_of_it_is_imported_unasked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    with pytest.raises(CodeNotAllowedError, match="code of your own") as refusal:
        CLASSIFIERS.get(f"{module_of(folder)}:Mine")
    assert str(folder / f"{module_of(folder)}.py") in str(refusal.value)
    assert f"--allow-code {refusal.value.digests[0]}" in str(refusal.value)
    assert not (folder / "ran").exists()


def test_what_the_user_names_is_imported_with_its_neighbours(folder: Path) -> None:
    name = f"{module_of(folder)}:Mine"
    with pytest.raises(UnknownNameError, match="No module named"):
        CLASSIFIERS.get(name)
    with named_by_user([folder]):
        assert CLASSIFIERS.get(name).__name__ == "Mine"
    with pytest.raises(CodeNotAllowedError), allowing(by_name=False), named_by_user([folder]):
        CLASSIFIERS.get(name)


def test_a_digest_allows_the_code_that_it_is_of_alone(folder: Path) -> None:
    module = module_of(folder)
    with allowing(by_name=False), named_by_user([folder]):
        code = own_code(module)
        assert code is not None
        before = code.digest
        assert [file.name for file in code.files] == [f"{module}.py", f"{module}_helper.py"]
        (folder / f"{module}_helper.py").write_text("ONE = 2\n")
        with allowing([before]), pytest.raises(CodeNotAllowedError):
            load_module(module)
        changed = own_code(module)
        assert changed is not None
        with allowing([changed.digest]):
            assert load(f"{module}.Mine").__module__ == module
            with pytest.raises(CodeNotAllowedError):
                load_module(f"{module}_other")
    with pytest.raises(ModuleNotFoundError):
        __import__(f"{module}_other")


def test_a_path_allows_its_file_whatever_it_holds_and_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(folder)
    monkeypatch.chdir(folder)
    with allowing(by_name=False), named_by_user([folder]):
        for words in (module, f"{module}_other.py", str(folder), f"../{module}.py"):
            with allowing([words]), pytest.raises(CodeNotAllowedError):
                load_module(module)
        with allowing([f"../mine/{module}.py"]):
            assert load(f"{module}.Mine").__module__ == module
            with pytest.raises(CodeNotAllowedError):
                load_module(f"{module}_other")


def test_bytecode_beside_the_source_is_not_read(folder: Path) -> None:
    import importlib.util
    import py_compile

    file = folder / f"{module_of(folder)}_other.py"
    status = file.stat()
    (folder / "evil.py").write_text("EVIL = 1\n")
    cached = importlib.util.cache_from_source(str(file))
    py_compile.compile(str(folder / "evil.py"), cfile=cached)
    data = bytearray(Path(cached).read_bytes())
    data[8:16] = int(status.st_mtime).to_bytes(4, "little") + status.st_size.to_bytes(4, "little")
    Path(cached).write_bytes(bytes(data))  # Python's own finder would take it for that of the source
    with named_by_user([folder]):
        assert not hasattr(load_module(file.stem), "EVIL")


@pytest.mark.parametrize("name", ["subprocess.Popen", "os:system", "builtins.eval", "builtins.dict", "__main__:main"])
def test_nothing_of_python_itself_is_called(name: str) -> None:
    for refuse in (CLASSIFIERS.get, EXTRACTORS.get, get_layout):
        with pytest.raises(CodeNotAllowedError, match="part of Python itself"):
            refuse(name)


@pytest.mark.parametrize(
    "name", ["numpy.save", "joblib.load", "sklearn.svm", "sklearn.utils.Bunch", "sklearn.base.clone", "PIL.Image.open"]
)
def test_what_is_installed_and_no_estimator_is_not_called(name: str) -> None:
    for refuse in (CLASSIFIERS.get, EXTRACTORS.get, get_layout):
        with pytest.raises(ConfigurationError, match="it was not called"):
            refuse(name)


def test_a_function_is_called_where_it_is_marked(folder: Path) -> None:
    with named_by_user([folder]), pytest.raises(ConfigurationError, match="declares marks"):
        CLASSIFIERS.get(f"{module_of(folder)}:unmarked")


def test_a_name_without_end_is_a_short_message() -> None:
    for name in ("x" * 100_000, "x." * 50_000, "sklearn." + "x" * 100_000):
        with pytest.raises(LeukobenchError) as refusal:
            CLASSIFIERS.get(name)
        assert len(str(refusal.value)) < 10_000


def test_two_modules_of_one_name_are_not_mixed_up(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / f"{module_of(folder)}.py").write_text("class Mine: fit = 1\n")
    with named_by_user([folder]):
        load_module(module_of(folder))
    with named_by_user([other]), pytest.raises(ConfigurationError, match="Another module called"):
        load_module(module_of(folder))


@pytest.mark.slow
def test_processes_of_a_run_import_what_the_run_imports(folder: Path) -> None:
    from leukobench.processes.executors import Processes
    from leukobench.processes.spread import in_order

    with named_by_user([folder]):
        classifier = CLASSIFIERS.get(f"{module_of(folder)}:Mine")()
        types_ = list(in_order(Processes(2), type_name, lambda number: (classifier,), 2))
    assert types_ == [f"{module_of(folder)}.Mine"] * 2


def type_name(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__name__}"


@pytest.mark.slow
def test_a_command_is_nobodys_worker(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        f"images: {tmp_path}\nplugins: [{folder}]\nclassifiers: ['{module_of(folder)}:Mine']\n"
    )
    with named_by_user([folder]):
        load_module(module_of(folder))
        (folder / "ran").unlink()
        command = [sys.executable, "-m", "leukobench", "run", str(tmp_path / "x.yaml"), "--plan"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--allow-code" in done.stderr
    assert not (folder / "ran").exists()


def test_the_module_of_an_installed_package_is_no_code_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_code("sklearn.svm") is None
    assert own_code("leukobench.images.layouts") is None
    skops = code_of("skops.io")
    assert skops is not None
    assert skops.installed
    assert skops.version
    finder = types.SimpleNamespace(find_spec=lambda *_: None, __module__="__editable___mine_finder")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    assert own_code("no_such_module_anywhere") is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder of plug-ins"), named_by_user([tmp_path / "absent"]):
        pass


def test_folders_of_runs_that_were_read_are_searched_last(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    search_also([tmp_path / "a", tmp_path / "absent"])
    assert (tmp_path / "a").resolve() in searched()
