from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from leukobench.cli import cli


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    assert all(command in said for command in ("run", "list", "synthetic"))


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("extractors", ["inceptionv3", "resnet101", "vgg19", "densenet121", "mobilenetv2", "vgg16", "pooling=average"]),
        ("selectors", ["anova", "rfe", "lasso", "forest", "pca", "none", "n_features=200"]),
        ("classifiers", ["svm_rbf", "C=10.0", "xgboost", "naive_bayes", "knn", "lda", "max_depth=3"]),
        ("layouts", ["folders", "cnmc", "allidb", "aml_mll", "manifest"]),
    ],
)
def test_list_shows_names_and_defaults(family: str, names: list[str]) -> None:
    code, said = call("list", family)
    assert code == 0
    assert [name for name in names if name not in said] == []


def test_no_images_and_no_experiment_is_a_usage_error() -> None:
    code, said = call("run")
    assert code == 2
    assert "Name experiment files, or one folder with --images" in said


def test_an_absent_folder_is_a_message_without_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leukobench", "run", "--images", str(tmp_path / "absent"), "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "absent" in done.stderr
    assert "Traceback" not in done.stderr


def test_synthetic_then_run_with_a_plug_in_of_ones_own(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call("synthetic", str(tmp_path / "smears"), "--images", "48", "--patients", "16")
    assert code == 0
    assert "48 synthetic smear images" in said
    (tmp_path / "mine.yaml").write_text(
        f"images: smears\nextractors: ['{plugin}:Colours']\nselectors: ['{plugin}:best_two']\n"
        f"classifiers: [naive_bayes, '{plugin}:Votes']\nevaluation: {{folds: 2}}\n"
    )
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    code, said = call("run", str(tmp_path / "mine.yaml"), "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 0, said
    assert "leaderboard.csv" in said
    assert "example_plugin:Votes" in said
    code, said = call("run", str(tmp_path / "mine.yaml"), "--results", str(tmp_path / "out"))
    assert "finished before" in said


def test_one_bad_experiment_does_not_stop_the_next(tmp_path: Path, plugin: str) -> None:
    call("synthetic", str(tmp_path / "smears"), "--images", "48", "--patients", "16")
    common = f"images: smears\nextractors: ['{plugin}:Colours']\nselectors: [none]\nevaluation: {{folds: 2}}\n"
    (tmp_path / "bad.yaml").write_text(common + "classifiers: [svmm]\n")
    (tmp_path / "good.yaml").write_text(common + "classifiers: [lda]\n")
    files = [str(tmp_path / "bad.yaml"), str(tmp_path / "good.yaml")]
    code, said = call("run", *files, "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 2
    assert "no classifier called 'svmm'" in said
    assert (tmp_path / "out" / "good" / "leaderboard.csv").exists()
