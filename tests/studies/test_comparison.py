"""`leukobench compare`: methods over several data sets, from the folders of their runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.stats import friedmanchisquare

from leukobench.cli import cli
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError, StorageError
from leukobench.images.synthetic import draw_smears
from leukobench.pipeline import run
from leukobench.studies.comparison import compare_runs

from ..conftest import PLUGIN


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small data sets with one grid each."""
    folder = tmp_path_factory.mktemp("sets")
    said = {
        "selectors": ["none", "pca"],
        "classifiers": ["naive_bayes", "lda", "knn"],
        "plugins": [PLUGIN],
        "extractors": ["example_plugin:Colours"],
    }
    made = []
    for seed in range(3):
        images = draw_smears(folder / f"set{seed}", images=48, patients=16, seed=seed, size=64)
        experiment = for_folder(
            images, results=folder / "results", evaluation={"folds": 2, "resamples": 100, "controls": "off"}, **said
        )
        made.append(run(experiment, workers=1).folder)
    return made


@pytest.mark.slow
def test_ranks_and_friedman_equal_scipy(runs: list[Path], tmp_path: Path) -> None:
    found = {one.kind: one for one in compare_runs(runs, tmp_path / "out")}
    assert set(found) == {"selector", "classifier", "combination"}
    boards = [pd.read_csv(folder / "leaderboard.csv").query("kind == 'combination'") for folder in runs]
    means = pd.DataFrame([board.groupby("classifier")["balanced_accuracy"].mean() for board in boards])
    expected = means.rank(axis=1, ascending=False).mean()
    assert found["classifier"].comparison.ranks == pytest.approx(expected.to_dict())
    if (means.nunique(axis=1) == 3).all():  # scipy corrects for ties
        assert found["classifier"].comparison.p == pytest.approx(friedmanchisquare(*means.to_numpy().T).pvalue)
    table = pd.read_csv(tmp_path / "out" / "ranks.csv")
    assert table.groupby("kind").size().to_dict() == {"classifier": 3, "combination": 6, "selector": 2}
    pairs = pd.read_csv(tmp_path / "out" / "nemenyi.csv")
    assert pairs.groupby("kind").size().to_dict() == {"classifier": 3, "combination": 15, "selector": 1}
    for kind in found:
        with Image.open(tmp_path / "out" / f"{kind}s.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 1


@pytest.mark.slow
def test_the_command_names_ranks_and_files(runs: list[Path], tmp_path: Path) -> None:
    said = ["compare", *map(str, runs), "--metric", "accuracy", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, said)
    assert result.exit_code == 0, result.output
    assert "Classifiers: mean ranks over 3 data sets" in result.output
    assert "Friedman" in result.output


@pytest.mark.slow
def test_what_cannot_be_compared_is_a_message(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"1 run with .*\n.*fix: name a second run"):
        compare_runs(runs[:1], tmp_path)
    with pytest.raises(ConfigurationError, match="share 48 images"):
        compare_runs([runs[0], runs[0]], tmp_path)
    with pytest.raises(ConfigurationError, match="'log_loss' cannot rank methods"):
        compare_runs(runs, tmp_path, "log_loss")
    unfinished = Path(shutil.copytree(runs[0], tmp_path / "unfinished"))
    (unfinished / "images.parquet").unlink()
    with pytest.raises(StorageError, match="not complete"):
        compare_runs([runs[1], unfinished], tmp_path)
    (unfinished / "state.json").unlink()
    with pytest.raises(ConfigurationError, match="no finished run"):
        compare_runs([runs[1], unfinished], tmp_path)
