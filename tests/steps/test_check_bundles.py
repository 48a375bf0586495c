from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukobench.config.experiment_file import for_folder
from leukobench.features.embedding_table import EmbeddingTable
from leukobench.features.extractors import make_extractor
from leukobench.steps.check_bundles import bundle_lines
from leukobench.steps.choose_methods import make_methods


def lines(extractors: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    experiment = for_folder(Path("anywhere"), **settings)
    return bundle_lines(experiment, extractors or {}, make_methods(experiment))


def test_what_leukobench_ships_needs_no_words() -> None:
    assert lines() == []


def test_scikit_learn_is_kept_where_its_state_is_numbers() -> None:
    assert lines(classifiers=["sklearn.neural_network.MLPClassifier"], selectors=["sklearn.decomposition.NMF"]) == []
    (line,) = lines(selectors=["sklearn.preprocessing.SplineTransformer"])
    assert line.startswith("No bundle can hold sklearn.preprocessing.SplineTransformer: ")
    assert "SplineTransformer" in line.partition(": ")[2]


@pytest.mark.parametrize("name", ["OnlyPredicts", "KillsItsProcess", "SleepsInC"])
def test_own_code_will_be_named_and_is_not_run_for_these_words(name: str, plugin: str) -> None:
    (line,) = lines(classifiers=[f"example_plugin:{name}"])
    assert line.startswith(f"A bundle of example_plugin:{name} will name the module example_plugin")
    assert "--allow-code" in line


def test_tables_and_extractors_of_ones_own_are_said_too(plugin: str) -> None:
    own = make_extractor("example_plugin:Colours", {})
    table = EmbeddingTable.__new__(EmbeddingTable)
    found = lines({"a": own, "b": table, "c": make_extractor("efficientnet_lite0", {})})
    assert [line.partition(":")[0] for line in found] == [
        "A bundle of a will name its module, not contain it",
        "No bundle can hold b",
    ]
