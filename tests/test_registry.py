from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.errors import ConfigurationError, UnknownNameError
from leukobench.registry import Registry


@pytest.fixture
def registry() -> Registry:
    made = Registry("classifier")
    made.add("svm", "sklearn.svm:SVC")
    made.add("bayes", "sklearn.naive_bayes:GaussianNB")
    return made


def test_names_are_imported_when_asked_for(registry: Registry) -> None:
    from sklearn.svm import SVC

    assert registry.get("svm") is SVC
    assert registry.names()[:2] == ["svm", "bayes"]
    assert registry.get("sklearn.svm.NuSVC") is registry.get("sklearn.svm:NuSVC")


def test_an_unknown_name_lists_the_nearest(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="did you mean bayes"):
        registry.get("bays")
    with pytest.raises(UnknownNameError, match="cannot be imported"):
        registry.get("no.such.module:Thing")


def test_a_name_is_given_once(registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="taken"):
        registry.add("svm", object)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"c": 1}, "did you mean C"),
        ({"C": -1}, "refuses its parameters"),
        ({"kernel": "cubic"}, "refuses its parameters"),
    ],
)
def test_parameters_are_refused_before_any_fit(registry: Registry, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        registry.make("svm", parameters)


def test_offered_parameters_are_taken_only_where_known(registry: Registry) -> None:
    offered = {"random_state": 3, "n_jobs": 1}
    assert registry.make("svm", {"C": 2.0}, offered).get_params()["random_state"] == 3
    assert registry.make("svm", {"random_state": 4}, offered).random_state == 4
    assert "random_state" not in registry.make("bayes", {}, offered).get_params()


def test_entry_points_join(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("forest", "sklearn.ensemble:RandomForestClassifier", "leukobench.classifiers")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] if group == point.group else [])
    assert "forest" in registry.names()
    assert registry.get("forest").__name__ == "RandomForestClassifier"
    assert not registry.ships("forest")


@pytest.mark.parametrize("name", ["sklearn.svm", "builtins.dict", ".foo.bar", "broken_plugin:Thing"])
def test_what_is_no_method_is_a_message(
    registry: Registry, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_plugin.py").write_text("def (:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError):
        registry.make(name, {"C": 1})


def test_parameters_that_a_class_takes_as_keywords_are_known(registry: Registry) -> None:
    made = registry.make("xgboost.XGBClassifier", {"max_depth": 3}, {"random_state": 5, "n_jobs": 1})
    assert (made.max_depth, made.random_state) == (3, 5)
