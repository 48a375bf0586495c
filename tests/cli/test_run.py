"""``leukobench run``: from an experiment file, a folder or a preset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from leukobench.config.experiment_file import for_folder
from leukobench.pipeline import run

from ..conftest import PLUGIN
from .calls import call


def test_no_images_and_no_experiment_is_a_usage_error() -> None:
    code, said = call("run")
    assert code == 2
    assert "Name experiment files, or one folder with --images" in said


@pytest.mark.parametrize("option", [["--images"], []])
def test_an_absent_folder_is_a_message_without_traceback(tmp_path: Path, option: list[str]) -> None:
    code, words = call("run", *option, str(tmp_path / "absent"), "--results", str(tmp_path))
    assert code == 2
    assert "absent" in words
    assert "Traceback" not in words


@pytest.mark.slow
def test_synthetic_then_run_with_a_plug_in_of_ones_own(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call("synthetic", str(tmp_path / "smears"), "--images", "48", "--patients", "16")
    assert code == 0
    assert "48 synthetic smear images" in said
    (tmp_path / "mine.yaml").write_text(
        f"images: smears\nextractors: ['{plugin}:Colours']\nselectors: ['{plugin}:best_two']\n"
        f"classifiers: [naive_bayes, '{plugin}:Votes']\nevaluation: {{folds: 2, controls: off}}\n"
    )
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    code, said = call("run", str(tmp_path / "mine.yaml"), "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 0, said
    assert "leaderboard.csv" in said
    assert "example_plugin:Votes" in said
    code, said = call("run", str(tmp_path / "mine.yaml"), "--results", str(tmp_path / "out"))
    assert "finished before" in said
    code, said = call("run", str(tmp_path / "mine.yaml"), "--results", str(tmp_path / "out"), "--json", "-q")
    answer, _, rest = said.partition("\n")
    assert code == 0
    assert [row["rank"] for row in json.loads(answer)["leaderboard"]][:2] == [1, 2]
    assert "Next:" in rest


@pytest.mark.slow
def test_one_bad_experiment_does_not_stop_the_next(tmp_path: Path, plugin: str) -> None:
    call("synthetic", str(tmp_path / "smears"), "--images", "48", "--patients", "16")
    common = f"plugins: [{PLUGIN}]\nimages: smears\nextractors: ['{plugin}:Colours']\nselectors: [none]\n"
    common += "evaluation: {folds: 2, controls: off}\n"
    (tmp_path / "bad.yaml").write_text(common + "classifiers: [svmm]\n")
    (tmp_path / "good.yaml").write_text(common + "classifiers: [lda]\n")
    files = [str(tmp_path / "bad.yaml"), str(tmp_path / "good.yaml")]
    code, said = call("run", *files, "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 2
    assert "no classifier called 'svmm'" in said
    assert (tmp_path / "out" / "good" / "leaderboard.csv").exists()


@pytest.mark.slow
def test_a_preset_runs_on_its_layout_with_subjects_apart(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for subject in range(12):
        label, name = ("all", str(subject)) if subject % 2 else ("hem", f"H{subject}")
        for cell in range(1, 5):
            path = tmp_path / "cnmc" / f"fold_{subject % 3}" / label / f"UID_{name}_{cell}_1_{label}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 200 + 20 * (subject % 2), (24, 24, 3), dtype=np.uint8)).save(path)
    said = {"extractors": [f"{plugin}:Colours"], "selectors": ["none"], "classifiers": ["lda"]}
    said |= {"evaluation": {"controls": "off"}}
    outcome = run(for_folder(tmp_path / "cnmc", "cnmc", results=tmp_path / "out", **said), workers=1)
    assert "12 patients" in "\n".join(outcome.protocol)
    assert outcome.leaderboard["status"].eq("ok").all()
    assert "weighted F1" in outcome.answer.sentences[0]
    best = outcome.leaderboard.set_index("extractor").loc[f"{plugin}:Colours"]
    table = pd.read_parquet(outcome.folder / "predictions.parquet")
    table = table[table["extractor"] == f"{plugin}:Colours"]
    assert best["f1_weighted"] == pytest.approx(f1_score(table["label"], table["predicted"], average="weighted"))
    assert table["fold"].nunique() == 5


@pytest.mark.slow
def test_permute_has_a_folder_of_its_own_and_says_so(
    smears: Path, tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.yaml").write_text(
        f"images: {smears}\nextractors: ['{plugin}:Colours']\nselectors: [none]\nclassifiers: [lda]\n"
    )
    code, said = call("run", str(tmp_path / "mine.yaml"), "--permutations", "5", "--results", str(tmp_path / "out"))
    assert code == 0, said
    assert "PERMUTED LABELS, at chance" in " ".join(said.split())
    assert (tmp_path / "out" / "mine-permuted" / "report.html").exists()
