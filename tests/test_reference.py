"""Published results: README says what they say, and anybody can compute them again from the predictions."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from leukobench.storage import file_digest

ROOT = Path(__file__).parents[1]
ALL = ROOT / "results" / "reference" / "all"
NAMES = ["extractor", "selector", "classifier"]


needs_run = pytest.mark.skipif(not (ALL / "answer.json").exists(), reason="not published yet: make reference")


def package(module: str = "documents") -> ModuleType:
    """A module of ``benchmarks/reference``, which is run from the root and not installed."""
    if "reference" not in sys.modules:
        spec = importlib.util.spec_from_file_location("reference", ROOT / "benchmarks" / "reference" / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["reference"] = own = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(own)
    return importlib.import_module(f"reference.{module}")


def test_documents_say_what_the_published_results_say() -> None:
    for path, text in package().written().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: make reference ONLY=documents"


@needs_run
def test_the_page_shows_every_published_row_and_loads_nothing() -> None:
    html = package("page").page(ALL.parent)
    assert not re.search(r"(src|href)=\"(?!#|[\w-]+/README)|url\(|@import|https?://", html)
    data = json.loads(re.findall(r'id="data">(.*)</script>', html)[0])
    titles = [run["title"] for run in data["runs"]]
    board = pd.read_csv(ALL / "leaderboard.csv")
    rows = [row for row in data["rows"] if titles[row[0]] == "ALL smears"]
    assert [data["words"][1][row[1]] for row in rows] == board["extractor"].tolist()
    assert [row[11] for row in rows] == [round(1e4 * value) for value in board["balanced_accuracy"]]
    assert [bool(row[8]) for row in rows] == board["in_best_set"].eq(True).tolist()


def test_each_kind_of_experiment_has_a_run_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, experiments = package("runs"), []
    monkeypatch.setattr(runs, "_run", lambda experiment: experiments.append(experiment) or tmp_path)
    for name in ("publish", "publish_permuted", "picture_run"):
        monkeypatch.setattr(runs, name, lambda *_: None)
    place = runs.Place(tmp_path, tmp_path / "results", tmp_path / "reference")
    for kind in ("grid", "permuted", "networks"):
        runs.KINDS[kind](place, "cells")
    assert [one.name for one in experiments] == ["cells", "cells-quick-permuted", "cells-networks"]
    assert [one.images.exclude_classes for one in experiments] == [["basophil"]] * 3
    assert [len(one.extractors) * len(one.selectors) * len(one.classifiers) for one in experiments] == [324, 9, 8]
    assert experiments[1].evaluation.permute


def test_every_document_but_the_decisions_may_have_figures(tmp_path: Path) -> None:
    documents = package()
    names = ["README.md", "docs/a.md", "docs/pages/b.md", "docs/decisions/c.md", "results/reference/one/README.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in documents.documents(tmp_path)] == [*names[:3], names[4]]


def test_a_figure_that_was_changed_by_hand_is_written_anew(tmp_path: Path) -> None:
    documents = package()
    (tmp_path / "brain").mkdir()
    (tmp_path / "brain" / "permuted.json").write_text('{"words": "at chance"}')
    block = "<!-- reference: permuted brain -->\n{}\n<!-- end of reference -->"
    text = f"Before\n{block.format('far above chance')}\nafter"
    assert documents.with_figures(text, tmp_path) == f"Before\n{block.format('at chance')}\nafter"


def test_an_unknown_block_is_named(tmp_path: Path) -> None:
    documents = package()
    with pytest.raises(KeyError, match="nothing"):
        documents.with_figures("<!-- reference: nothing -->\n<!-- end of reference -->", tmp_path)


def test_rounded_probabilities_keep_what_ranks_at_both_ends_rest_on() -> None:
    rounded = functools.partial(package("published").rounded, bits=20)
    values = np.array([0.0, 1e-310, 1e-200, 2e-9, 1 / 3, 0.5, 1 - 2e-9, 1 - 1e-9, 1.0])
    kept = rounded(values)
    assert (np.diff(kept) > 0).all()
    assert kept[[0, 1, 5, 8]].tolist() == values[[0, 1, 5, 8]].tolist()
    least = np.minimum(values, 1 - values)[2:8]
    assert (np.abs(kept - values)[2:8] <= least / 2**20).all()
    assert rounded(kept).tolist() == kept.tolist()


@pytest.mark.parametrize(
    "folder", [path.parent for path in ALL.parent.glob("*/digests.json")], ids=lambda path: path.name
)
def test_published_files_are_those_that_were_written(folder: Path) -> None:
    digests = json.loads((folder / "digests.json").read_text())
    names = {path.name for path in folder.iterdir()} - {"README.md", "digests.json"}
    assert names == set(digests)
    assert {name: file_digest(folder / name) for name in names} == digests
    assert not [name for name in names if re.search(rb"/(home|root|tmp|Users|work)/", (folder / name).read_bytes())]


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
