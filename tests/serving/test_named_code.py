from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from leukobench.errors import BundleError
from leukobench.plugins import permission
from leukobench.serving.estimators import from_bytes
from leukobench.serving.named_code import NamedCode, can_be_named, from_manifest, import_allowed, named
from leukobench.serving.stored_estimators import store, to_bytes

SOURCE = """
from subprocess import Popen
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

imported = open(__file__ + ".imported", "a").close()

class Mine(ClassifierMixin, BaseEstimator):
    shift = 0
    def fit(self, X, y):
        self.shift, self.model_ = 1, LogisticRegression().fit(X + 1, y)
        self.classes_ = self.model_.classes_
        return self
    def predict_proba(self, X):
        return self.model_.predict_proba(X + self.shift)
"""
_numbers = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module of a name that nobody used before into a folder of its own, and return the name."""
    monkeypatch.setattr(permission, "_read", [])
    served, names = dict(permission.served), list[str]()

    def write(source: str = SOURCE) -> str:
        names.append(f"mine_{next(_numbers)}")
        (tmp_path / f"{names[-1]}.py").write_text(source)
        return names[-1]

    yield write
    permission.served.clear()
    permission.served.update(served)
    for name in names:
        sys.modules.pop(name, None)


def fitted(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An estimator of the module, imported as by its author, and forgotten."""
    with monkeypatch.context() as changed:
        changed.syspath_prepend(str(folder))
        X = np.random.default_rng(0).normal(size=(30, 3))
        return importlib.import_module(name).Mine().fit(X, np.arange(30) % 2)


def was_imported(name: str, folder: Path) -> bool:
    return (folder / f"{name}.py.imported").exists()


def test_an_estimator_of_ones_own_is_stored_by_name_and_built_where_its_module_is_allowed(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module()
    estimator = fitted(name, tmp_path, monkeypatch)
    X = np.random.default_rng(1).normal(size=(5, 3))
    expected, stored = estimator.predict_proba(X), store(estimator, "classifier")
    assert stored.modules == {name}
    for modules in ((), ("another",)):
        with pytest.raises(BundleError, match=f"{name}.Mine"):
            from_bytes(stored.data, "classifier", modules)
    with pytest.raises(BundleError, match="cannot be stored"):
        to_bytes(estimator, "classifier")
    assert np.array_equal(from_bytes(stored.data, "classifier", [name]).predict_proba(X), expected)


def test_what_a_module_imports_is_not_its_own(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = module()
    data = store(fitted(name, tmp_path, monkeypatch), "classifier").data
    made_up = data.replace(b'"Mine"', b'"Popen"').replace(b"Mine", b"Popen")
    with pytest.raises(BundleError, match=r"Popen|cannot be read"):
        from_bytes(made_up, "classifier", [name])


def test_nothing_is_imported_that_is_not_allowed_or_another(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module()
    monkeypatch.setattr(permission, "_read", [tmp_path])
    (code,) = named([name])
    monkeypatch.setattr(permission, "_read", [])
    with pytest.raises(BundleError, match="needs code that it does not contain") as caught:
        import_allowed([code], ["another"])
    assert f"--allow-code {name}" in str(caught.value)
    assert code.digest in str(caught.value)
    with pytest.raises(BundleError, match="is not here"):
        import_allowed([code], [name])  # the present folder is another
    (tmp_path / f"{name}.py").write_text(SOURCE + "# edited\n")
    with pytest.raises(BundleError, match="not the one that the bundle was made with"):
        import_allowed([code], [str(tmp_path / f"{name}.py")])
    assert not was_imported(name, tmp_path)
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    import_allowed([code], [name])
    assert was_imported(name, tmp_path)


def test_an_installed_package_has_a_version() -> None:
    (code,) = named(["click.core"])
    assert (code.module, code.version) == ("click", importlib.metadata.version("click"))
    import_allowed([code], ["click"])
    assert NamedCode("click", "1", code.digest).words == f"click 1 (SHA-256 {code.digest})"


@pytest.mark.parametrize(
    "module", ["os", "subprocess", "__main__", "numpy.lib", "sklearn", "leukobench", "builtins", ""]
)
def test_modules_of_python_and_of_our_libraries_are_never_named(module: str) -> None:
    assert not can_be_named(module)
    with pytest.raises(ValueError, match="no bundle"):
        from_manifest([{"module": module, "version": "", "digest": "0" * 64}])


@pytest.mark.parametrize("entries", ["x", [1], [{"module": "a"}], [{"module": "a", "version": 1, "digest": ""}], None])
def test_other_forms_are_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match="another form"):
        from_manifest(entries)


def test_a_state_that_is_no_data_is_refused_when_it_is_stored(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = fitted(module(), tmp_path, monkeypatch)
    estimator.opened = open(__file__)  # noqa: SIM115
    with estimator.opened, pytest.raises(BundleError, match="cannot be stored"):
        store(estimator, "classifier")
    assert store(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), "classifier").modules == frozenset()
