"""Published results: README says what they say, and anybody can compute them again from the predictions."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
ALL = ROOT / "results" / "reference" / "all"
NAMES = ["extractor", "selector", "classifier"]


needs_run = pytest.mark.skipif(not (ALL / "answer.json").exists(), reason="not published yet: make reference")


def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("reference", ROOT / "benchmarks" / "reference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["reference"] = module
    found.loader.exec_module(module)
    return module


def test_documents_say_what_the_published_results_say() -> None:
    reference = script()
    paths = reference.documents()
    assert len(paths) >= 3
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text == reference.with_figures(text), f"{path}: make reference ONLY=documents"
    text = paths[0].read_text(encoding="utf-8")
    assert {"sentences", "networks", "extraction", "leakage"} <= {
        name for name in reference.BLOCKS if f"reference: {name}" in text
    }


def test_a_figure_that_was_changed_by_hand_is_written_anew() -> None:
    reference = script()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = text.replace("| colour alone |", "| shape alone |")
    assert changed != text
    assert reference.with_figures(changed) == text


def published() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Labels, groups, probabilities (combinations, n, K) and names of the combinations."""
    images = pd.read_parquet(ALL / "images.parquet").sort_values("row")
    table = pd.read_parquet(ALL / "predictions.parquet")
    table = table[(table["kind"] == "combination") & (table["repeat"] == 0)].sort_values([*NAMES, "row"])
    columns = [name for name in table if name.startswith("p_")]
    classes, labels = np.unique(images["label"], return_inverse=True)
    assert columns == [f"p_{name}" for name in classes]
    names = table[NAMES].iloc[:: len(images)].astype(str).agg(" x ".join, axis=1).to_numpy()
    return (
        labels,
        images["group"].to_numpy(),
        table[columns].to_numpy().reshape(len(names), len(images), -1),
        names.tolist(),
    )


@needs_run
def test_the_score_and_its_correction_follow_from_the_published_predictions() -> None:
    labels, groups, probabilities, names = published()
    best = json.loads((ALL / "answer.json").read_text())["best"]
    right = probabilities.argmax(axis=2) == labels
    _, codes = np.unique(groups, return_inverse=True)
    hits = np.array([[np.bincount(codes, (labels == k) * row) for k in range(labels.max() + 1)] for row in right])
    images = np.array([np.bincount(codes, labels == k) for k in range(labels.max() + 1)], dtype=np.float64)
    hits = hits.astype(np.float64)
    scores = (hits.sum(axis=2) / images.sum(axis=1)).mean(axis=1)
    winner = names.index(" x ".join(best[name] for name in NAMES))
    assert scores[winner] == pytest.approx(best["value"], abs=1e-6)
    assert scores[winner] == pytest.approx(scores.max(), abs=1e-6)
    rng, values = np.random.default_rng(7), []
    for _ in range(300):  # BBC-CV: the best on drawn groups, scored on the others
        drawn = np.bincount(rng.integers(images.shape[1], size=images.shape[1]), minlength=images.shape[1]).astype(
            float
        )
        inside = ((hits @ drawn) / (images @ drawn)).mean(axis=1)
        left = (drawn == 0).astype(float)
        values.append(((hits[inside.argmax()] @ left) / (images @ left)).mean())
    assert np.mean(values) == pytest.approx(best["corrected"], abs=0.0005)


@needs_run
def test_the_verdict_on_shuffled_labels_follows_from_the_published_table() -> None:
    table, chance = pd.read_csv(ALL / "permutations.csv"), json.loads((ALL / "permuted.json").read_text())
    wide = table.pivot(index="permutation", columns=NAMES, values="balanced_accuracy")
    assert wide.shape == (chance["permutations"], chance["combinations"])
    assert wide.mean().max() == pytest.approx(chance["highest"])
    excess = wide.to_numpy() - chance["expected"]
    signs = np.random.default_rng(3).choice((-1, 1), (4000, len(excess)))
    highest = (signs @ excess / len(excess)).max(axis=1)
    assert (highest >= excess.mean(axis=0).max()).mean() == pytest.approx(chance["p"], abs=0.04)
    assert chance["at_chance"] == (chance["p"] > 0.05)
