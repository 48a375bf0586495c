"""Two runs on the same images: what changed, and paired differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from leukobench.errors import ConfigurationError
from leukobench.evaluation.metrics import metric_of
from leukobench.images.synthetic import draw_smears
from leukobench.pipeline import run
from leukobench.runs.finished import FinishedRun
from leukobench.studies.comparison import compare_runs
from leukobench.studies.same_images import ALIKE, Alone, SameImages, compare_same_images, share_images

from ..cli.calls import call
from ..conftest import PLUGIN

SETTINGS: dict[str, Any] = {
    "plugins": [PLUGIN],
    "extractors": ["example_plugin:Colours"],
    "selectors": ["none"],
    "classifiers": ["naive_bayes", {"knn": {"n_neighbors": 3}}],
}
EVALUATION = {"folds": 2, "repeats": 2, "resamples": 200, "controls": "off", "views": "off"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_smears(tmp_path_factory.mktemp("same") / "smears", images=48, patients=16, seed=1, size=64)


def finished(images: Path, name: str, evaluation: dict[str, Any], **changed: Any) -> FinishedRun:
    return run(
        images, workers=1, name=name, results=images.parent / "results", **SETTINGS | changed,
        evaluation=EVALUATION | evaluation,
    ).results  # fmt: skip


@pytest.fixture(scope="module")
def first(images: Path) -> FinishedRun:
    return finished(images, "first", {})


@pytest.mark.slow
def test_gains_are_paired_where_folds_match(first: FinishedRun, images: Path, tmp_path: Path) -> None:
    second = finished(images, "second", {"balance": "oversample"}, classifiers=["naive_bayes", "lda"])
    assert share_images(first, second)
    compared = compare_same_images(first, second, tmp_path / "out")
    assert [words.partition(":")[0] for words in compared.changed] == ["classifiers", "evaluation.balance"]
    (change,) = compared.changes
    expected = [mean_score(one, change.names) for one in (first, second)]
    assert [change.first, change.second] == pytest.approx(expected, abs=1e-12)
    assert change.gain.drop == pytest.approx(expected[1] - expected[0], abs=1e-12)
    assert change.gain.low < change.gain.drop < change.gain.high
    assert compared.best is not None
    best = [one.answer.best.names for one in (first, second) if one.answer.best]
    assert [compared.best.first, compared.best.change.names] == best
    values = [compared.best.change.first, compared.best.change.second]
    assert values == pytest.approx([mean_score(one, names) for one, names in zip((first, second), best, strict=True)])
    assert [one.names[2] for one in compared.alone.values()] == ["knn(n_neighbors=3)", "lda"]
    assert compared.alone["second"].value == pytest.approx(mean_score(second, compared.alone["second"].names))
    table = pd.read_csv(tmp_path / "out" / "same_images.csv")
    assert table["gain"].tolist() == pytest.approx([expected[1] - expected[0]])
    code, words = call("compare", str(first.folder), str(second.folder), "--out", str(tmp_path / "again"))
    assert code == 0
    assert "Changed: classifiers: naive_bayes, knn(n_neighbors=3) to naive_bayes, lda; " in words
    assert "Best of 2 in the first against best of 2 in the second: " in words
    assert "Only in the second: 1 combination, the best of them example_plugin:Colours x none x lda, " in words
    assert "evaluation.balance: none to oversample" in words


def mean_score(one: FinishedRun, names: tuple[str, str, str]) -> float:
    rows = one.predictions_of(names)
    return float(np.mean([balanced_accuracy_score(r["label"], r["predicted"]) for _, r in rows.groupby("repeat")]))


@pytest.mark.slow
def test_a_run_beside_itself_is_alike(first: FinishedRun, tmp_path: Path) -> None:
    compared = compare_same_images(first, first, tmp_path)
    assert compared.changed == []
    assert ", in both: " in compared.sentences()[0]
    assert {(one.gain.drop, one.verdict) for one in compared.changes} == {(0.0, ALIKE)}


@pytest.mark.slow
def test_other_folds_are_not_paired(first: FinishedRun, images: Path, tmp_path: Path) -> None:
    other = finished(images, "other", {"seed": 3})
    compared = compare_same_images(first, other, tmp_path / "out")
    assert compared.refusal.startswith("the folds of ")
    assert not (tmp_path / "out").exists()
    assert compared.lines()[-1].startswith("Scores are not paired: the folds of ")
    with pytest.raises(ConfigurationError, match="share no images"):
        compare_runs([first.folder, other.folder], tmp_path)


def test_runs_without_a_common_combination_say_so() -> None:
    compared = SameImages([], metric_of("accuracy"), [], alone={"second": Alone(2, ("net", "none", "lda"), 0.75)})
    assert compared.sentences() == [
        "No combination is in both runs.",
        "Only in the second: 2 combinations, the best of them net x none x lda, 75.00 %.",
    ]
