from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.config.sources import experiment_of
from leukobench.errors import ConfigurationError

FILE = "images: {folder: smears, layout: class/any}\nclassifiers: [lda]\nevaluation: {folds: 3}\n"


def test_every_way_to_name_it_is_the_same_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smears").mkdir()
    (tmp_path / "smears.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    of_file = experiment_of("smears.yaml")
    assert of_file == read_experiment(Path("smears.yaml"))
    assert experiment_of(of_file) is of_file
    mapping: dict[str, Any] = {"images": {"folder": "smears", "layout": "class/any"}, "classifiers": ["lda"]}
    assert experiment_of({**mapping, "evaluation": {"folds": 3}}).to_mapping() == of_file.to_mapping()
    assert experiment_of(mapping, evaluation={"folds": 3}).to_mapping() == of_file.to_mapping()
    assert experiment_of("smears") == experiment_of({"images": "smears"}) == for_folder(Path("smears"))


def test_settings_take_precedence(tmp_path: Path) -> None:
    again = experiment_of(experiment_of(tmp_path, classifiers=["lda"]), name="again", evaluation={"folds": 7})
    assert (again.name, again.evaluation.folds, again.images.folder) == ("again", 7, tmp_path)
    assert [choice.name for choice in again.classifiers] == ["lda"]
    assert experiment_of(tmp_path, preset="cnmc").images.layout == "cnmc"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (7, "names no experiment"),
        ({"classifiers": ["lda"]}, "names no images"),
        ({"images": {"layout": "auto"}}, "names no images"),
        ({"images": "x", "clasifiers": ["lda"]}, "did you mean classifiers"),
        ("absent.yaml", "There is no experiment file"),
    ],
)
def test_what_names_none_is_refused_as_on_the_command_line(source: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        experiment_of(source)


def test_it_shows_what_will_be_run(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, name="mine", cnns=["custom_cnn"])
    assert isinstance(experiment, Experiment)
    assert repr(experiment) == (
        f"Experiment('mine': 2 extractors x 6 selectors x 8 classifiers, 1 networks trained end to end; {tmp_path}; "
        "5 folds)"
    )
