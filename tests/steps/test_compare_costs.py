"""Head to head: which rows stand side by side, and what their costs add up to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leukobench.features.extractors import make_extractor
from leukobench.features.speed import ExtractorCost, extractor_cost
from leukobench.images.index import index_images
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.steps.compare_costs import extractor_costs, head_to_head

ROWS = [
    ("net", "anova", "svm_rbf", "combination", 0.5, 2.0, 0.1, 1_000, 0),
    ("pixels", "none", "custom_cnn", "combination", 0.0, 100.0, 0.4, 4_000_000, 1_000_000),
    ("net", "none", "dense_head", "combination", 0.0, 3.0, 0.2, 40_000, 10_000),
    ("net", "none", "svm_rbf", "combination", 0.0, 1.0, 0.1, 1_000, 0),
    ("other", "none", "svm_rbf", "combination", 0.0, 1.0, 0.1, 1_000, 0),
    ("shortcut: colour", "none", "svm_rbf", "shortcut", 0.0, 1.0, 0.1, 1_000, 0),
    ("pixels", "none", "broken", "combination", None, None, None, None, None),
]


def leaderboard() -> pd.DataFrame:
    names = ["extractor", "selector", "classifier", "kind", "selector_s", "fit_s", "predict_s", "model_bytes"]
    table = pd.DataFrame(ROWS, columns=[*names, "parameters"])
    for place, metric in enumerate(("accuracy", "balanced_accuracy", "ece", "log_loss")):
        for end, shift in (("", 0.0), ("_low", -0.01), ("_high", 0.01)):
            table[f"{metric}{end}"] = 0.9 - 0.1 * place - 0.02 * table.index + shift
    ranked = (table["kind"] == "combination") & table["fit_s"].notna()
    table["rank"] = ranked.cumsum().where(ranked).astype("Int64")
    return table


def test_networks_the_best_of_each_extractor_and_its_heads_with_their_sums() -> None:
    costs = {"net": ExtractorCost(0.01, 2_000_000)}
    how = {"custom_cnn": "from scratch", "broken": "from scratch"}
    found = head_to_head(leaderboard(), costs, how, (400.0, 100.0))
    assert found[["extractor", "classifier"]].apply(tuple, axis=1).tolist() == [
        ("net", "svm_rbf"), ("pixels", "custom_cnn"), ("net", "dense_head"),
    ]  # fmt: skip
    best, network, head = found.to_dict("records")
    assert (best["rank"], best["trained"], network["trained"]) == (1, "classifier on frozen features", "from scratch")
    assert best["train_s"] == pytest.approx(0.01 * 400 + 0.5 + 2.0)
    assert best["predict_ms"] == pytest.approx(10 + 1.0)
    assert network["train_s"] == pytest.approx(100.0)
    assert network["predict_ms"] == pytest.approx(4.0)
    assert (best["parameters"], network["parameters"], head["parameters"]) == (2_000_000, 1_000_000, 2_010_000)
    assert best["model_mb"] == pytest.approx(8.001)
    assert network["model_mb"] == pytest.approx(4.0)
    assert best["balanced_accuracy_low"] == pytest.approx(0.79)


@pytest.mark.slow
def test_what_an_extractor_costs_is_timed_and_its_weights_counted(smears: Path, tmp_path: Path) -> None:
    files = [path.read_bytes() for path in sorted(smears.rglob("*.jpg"))[:4]]
    cost = extractor_cost(make_extractor("efficientnet_lite0", {}), files, 1)
    assert cost.parameters == 3_413_024
    assert 1e-4 < cost.seconds_an_image < 1


@pytest.mark.slow
def test_an_extractor_that_fails_is_left_out_and_said(
    smears: Path, plugin: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    index = index_images(smears)
    extractors = {name: make_extractor(f"{plugin}:{name}", {}) for name in ("Colours", "Raises")}
    found = extractor_costs(extractors, index, Workspace(RunFolder(tmp_path / "run"), 1))
    assert list(found) == ["Colours"]
    assert found["Colours"].parameters == 0
    assert "The costs of Raises could not be timed" in caplog.text
