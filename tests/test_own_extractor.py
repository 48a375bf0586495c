"""The document on extractors of one's own is true: its examples work from a file, a package and an entry point."""

from __future__ import annotations

import re
import shlex
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
from leukobench.errors import CodeNotAllowedError, ExtractionError
from leukobench.features.extractors import make_extractor
from leukobench.plugins.permission import named_by_user
from leukobench.plugins.places import own_code

DOCUMENT = (Path(__file__).parents[1] / "docs" / "own-extractor.md").read_text(encoding="utf-8")


def examples(language: str, document: str = DOCUMENT) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


SHORT, LONG = examples("python")
CLASSIFIER = examples("python", (Path(__file__).parents[1] / "docs" / "own-classifier.md").read_text("utf-8"))[0]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test has a module of the same name in another folder."""
    yield
    for name in ("colours", "centroids", "weighted", "newlab_colours"):
        sys.modules.pop(name, None)


def vectors(name: str, parameters: dict[str, Any], images: list[Path]) -> np.ndarray:
    extractor = make_extractor(name, parameters)
    with extractor.open(1) as opened:
        return np.stack(list(opened.vectors(iter([extractor.read(path.read_bytes()) for path in images]))))


def test_the_short_form_works_in_all_three_ways(
    install: Any, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = sorted(smears.rglob("*.jpg"))[:3]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "colours.py").write_text(SHORT)
    with named_by_user([tmp_path / "mine"]):
        from_file = vectors("colours:MeanColours", {"power": 0.5}, images)
    assert from_file.shape == (3, 6)
    assert from_file.dtype == np.float32
    with pytest.raises(CodeNotAllowedError), monkeypatch.context() as path:
        path.syspath_prepend(str(tmp_path / "mine"))
        make_extractor("colours:MeanColours", {})
    (entry,) = examples("toml")
    group, name, target = re.findall(r'points\."([\w.]+)"\]\n(\w+) = "newlab\.([\w.:]+)"', entry)[0]
    install("newlab_colours", SHORT, {group: {name: target.replace("colours:", "newlab_colours:")}})
    for installed in (name, "newlab_colours:MeanColours"):
        assert np.array_equal(vectors(installed, {"power": 0.5}, images), from_file)
    assert f"\n{name} " in CliRunner().invoke(cli, ["list", "extractors"]).output


def test_the_long_form_names_its_features_and_what_it_depends_on(smears: Path, tmp_path: Path) -> None:
    images = sorted(smears.rglob("*.jpg"))[:3]
    (tmp_path / "weighted.py").write_text(LONG)
    (tmp_path / "weights.txt").write_text("1 2 3\n")
    parameters = {"weights": str(tmp_path / "weights.txt")}
    with named_by_user([tmp_path]):
        table = vectors("weighted:WeightedColours", parameters, images)
        before = make_extractor("weighted:WeightedColours", parameters).identity
        (tmp_path / "weights.txt").write_text("2 4 6\n")
        assert make_extractor("weighted:WeightedColours", parameters).identity != before
        assert np.allclose(vectors("weighted:WeightedColours", parameters, images), 2 * table)


def test_its_digest_is_of_files_whatever_was_imported_before(tmp_path: Path) -> None:
    """An extractor and a classifier of one folder: that one runs without the other is no other extractor."""
    (tmp_path / "centroids.py").write_text(CLASSIFIER)
    (tmp_path / "colours.py").write_text(SHORT)
    with named_by_user([tmp_path]):
        before = make_extractor("colours:MeanColours", {}).identity
        assert CLASSIFIERS.source_digest("centroids:NearestMean")
        assert make_extractor("colours:MeanColours", {}).identity == before
        code = own_code("colours")
        assert code is not None
        assert before["source"] == code.digest
        (tmp_path / "colours.py").write_text(f"{SHORT}\n# edited\n")
        assert make_extractor("colours:MeanColours", {}).identity != before


WRONG = """
import numpy as np


class Flat:
    def transform(self, images):
        return [image.mean() for image in images][:-1]


class Raises:
    def transform(self, images):
        return np.stack([image.mean() for image in images], axis=9)
"""


def test_a_wrong_result_and_an_error_are_said_with_what_was_expected_and_where(smears: Path, tmp_path: Path) -> None:
    images = sorted(smears.rglob("*.jpg"))[:3]
    (tmp_path / "colours.py").write_text(WRONG)
    with named_by_user([tmp_path]):
        with pytest.raises(ExtractionError) as refusal:
            vectors("colours:Flat", {}, images)
        assert refusal.value.what == "The extractor 'colours:Flat' gave numbers of shape (2,) for 3 images."
        assert refusal.value.expected == "shape (3, d): one row of d numbers an image"
        with pytest.raises(ExtractionError) as refusal:
            vectors("colours:Raises", {}, images)
    line = WRONG.splitlines().index("        return np.stack([image.mean() for image in images], axis=9)") + 1
    place = tmp_path / "colours.py"
    assert refusal.value.what.startswith(f"The extractor 'colours:Raises' failed in {place}:{line}: AxisError: ")


@pytest.mark.slow
def test_the_experiment_of_the_document_runs_to_the_leaderboard(
    smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "smears").symlink_to(smears)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "colours.py").write_text(SHORT)
    (tmp_path / "mine" / "centroids.py").write_text(CLASSIFIER)
    experiment = yaml.safe_load(examples("yaml")[0]) | {"classifiers": ["lda", "centroids:NearestMean"]}
    experiment |= {"evaluation": {"folds": 2, "resamples": 100, "controls": "off"}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(experiment))
    arguments = ["run", str(tmp_path / "own.yaml"), "--results", str(tmp_path / "out"), "--workers", "1"]
    refusal = CliRunner().invoke(cli, [*arguments, "--plan"])
    assert refusal.exit_code == 2
    (allowed,) = re.findall(r"add ((?: ?--allow-code [0-9a-f]{64}){2})", refusal.output)
    planned = CliRunner().invoke(cli, [*arguments, "--plan", *allowed.split()])
    assert planned.exit_code == 0, planned.output
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    run = tmp_path / "out" / "own"
    board = pd.read_csv(run / "leaderboard.csv").query("kind == 'combination'")
    assert set(board["extractor"]) == {"colours:MeanColours", "colours:MeanColours(power=0.5)"}
    assert (board["status"] == "ok").all()
    out = ["--out", str(tmp_path / "x.parquet")]
    fit = ["fit", str(run), "--combination", "colours:MeanColours", "none", "centroids:NearestMean"]
    for command in (["features", str(run), *out], fit):
        refusal = CliRunner().invoke(cli, command)
        assert refusal.exit_code == 2
        (fix,) = re.findall(r"fix: read the code, then: leukobench (.*)", refusal.output)
        done = CliRunner().invoke(cli, shlex.split(fix))
        assert done.exit_code == 0, done.output
    (options,) = re.findall(r"leukobench predict \S+ IMAGES(.*?)  ", done.output)
    predict = ["predict", str(run / "model"), str(next(smears.rglob("*.jpg"))), *shlex.split(options)]
    assert set(predict[4::2]) == {str(tmp_path / "mine" / name) for name in ("colours.py", "centroids.py")}
    assert CliRunner().invoke(cli, predict).exit_code == 0
    paths = [word for name in ("colours", "centroids") for word in ("--allow-code", str(tmp_path / f"mine/{name}.py"))]
    done = CliRunner().invoke(cli, [*fit, "--out", str(tmp_path / "other"), *paths])
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(cli, ["run", str(run / "experiment.yaml"), "--name", "again", *arguments[2:]])
    assert again.exit_code == 2, "a run wrote that file, nobody named its code"
