"""The document on classifiers and selectors of one's own is true: its examples run, are tuned, and reach a bundle."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from leukobench.classifiers import CLASSIFIERS
from leukobench.cli import cli
from leukobench.evaluation.methods import make_method
from leukobench.plugins.permission import named_by_user
from leukobench.selection import SELECTORS

DOCUMENT = (Path(__file__).parents[1] / "docs" / "own-classifier.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


CLASSES, FUNCTION = examples("python")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test has a module of the same name in another folder."""
    yield
    for name in ("centroids", "newlab_centroids", "scaled"):
        sys.modules.pop(name, None)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "centroids.py").write_text(CLASSES)
    return tmp_path / "mine"


def test_the_classes_work_from_a_file_and_an_entry_point(mine: Path, install: Any) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    features = rng.normal(size=(60, 30)) + 3 * labels[:, None] * (np.arange(30) < 5)
    (entry,) = examples("toml")
    group, name, target = re.findall(r'points\."([\w.]+)"\]\n(\w+) = "newlab\.([\w.:]+)"', entry)[0]
    install("newlab_centroids", CLASSES, {group: {name: target.replace("centroids:", "newlab_centroids:")}})
    with named_by_user([mine]):
        selector = SELECTORS.make("centroids:MostVaried", {"n_features": 5}).fit(features)
        assert set(selector.kept_) == set(range(5))
        answers = [
            CLASSIFIERS.make(one, {"softness": 0.3}).fit(selector.transform(features), labels)
            for one in ("centroids:NearestMean", name)
        ]
    probabilities = [model.predict_proba(selector.transform(features)) for model in answers]
    assert np.array_equal(*probabilities)
    assert np.allclose(probabilities[0].sum(axis=1), 1)
    assert (answers[0].predict(selector.transform(features)) == labels).mean() > 0.9


def test_a_marked_function_is_called(mine: Path) -> None:
    (mine / "scaled.py").write_text(FUNCTION)
    with named_by_user([mine]):
        method = make_method(CLASSIFIERS, "scaled:scaled_svm", {"C": 2.0}, "scaled", seed=7)
    assert method.estimator.named_steps["svc"].get_params()["random_state"] == 7


@pytest.mark.slow
def test_the_experiment_of_the_document_is_run_tuned_and_fitted(
    mine: Path, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "smears").symlink_to(smears)
    texts = {text.split("\n")[0].removeprefix("# "): yaml.safe_load(text) for text in examples("yaml")}
    fast = {"folds": 2, "resamples": 100, "controls": "off", "views": "off", "tuning": "grid"}
    both = texts["own.yaml"] | {"evaluation": fast}
    both["classifiers"] = [*both["classifiers"], *texts["known.yaml"]["classifiers"][1:]]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(both))
    arguments = ["run", str(tmp_path / "own.yaml"), "--results", str(tmp_path / "out"), "--workers", "1"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    run = tmp_path / "out" / "own"
    board = pd.read_csv(run / "leaderboard.csv").query("kind == 'combination'")
    assert len(board) == 2 * 5
    assert (board["status"] == "ok").all()
    tuned = pd.read_csv(run / "tuned.csv")
    assert tuned.astype(str).apply(lambda row: "softness" in " ".join(row), axis=1).any()

    fit = ["fit", str(run), "--combination", "efficientnet_lite0", "none", "centroids:NearestMean"]
    refusal = CliRunner().invoke(cli, fit)
    (digest,) = set(re.findall(r"--allow-code ([0-9a-f]{64})", refusal.output))
    assert CliRunner().invoke(cli, [*fit, "--allow-code", digest]).exit_code == 0
    predict = ["predict", str(run / "model"), str(next(smears.rglob("*.jpg")))]
    assert CliRunner().invoke(cli, predict).exit_code == 2
    assert CliRunner().invoke(cli, [*predict, "--allow-code", str(mine / "centroids.py")]).exit_code == 0
