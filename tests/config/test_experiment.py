"""The protocol of an experiment: its limits, permuted labels, pseudo-patients; it survives a file and is frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.config.pseudo_patients import PseudoPatients
from leukobench.errors import ConfigurationError
from leukobench.remote.path import any_path

from .round_trip import read_back

SEARCHES = [
    {"svm_rbf": {"scale": True, "C": {"search": [1, 10]}, "gamma": {"search": ["scale", 0.01]}}},
    {"lda": {"shrinkage": {"search": {"low": 0.1, "high": 0.9}}}},
    {"logistic_regression": {"C": {"search": {"low": 0.01, "high": 100, "log": True}}}},
]


def test_a_permuted_experiment_differs_in_name_and_permutation_only(tmp_path: Path) -> None:
    said = {"tuning": "optuna", "holdout": 0.2, "calibration": "isotonic"}
    first = for_folder(tmp_path, "cnmc", classifiers=SEARCHES, evaluation=said)
    second = first.with_permuted_labels()
    assert second.name == f"{first.name}-permuted"
    assert second.folder == first.results / second.name
    assert (first.evaluation.permute, second.evaluation.permute) == (False, True)
    expected = first.to_mapping()
    expected["name"], expected["evaluation"]["permute"] = second.name, True
    assert second.to_mapping() == expected
    assert read_back(tmp_path, second) == expected


@pytest.mark.parametrize(
    ("section", "place", "message"),
    [
        ({"budget": 0}, "budget", "greater than or equal to 1 (received: 0)"),
        ({"budget": 2.5}, "budget", "valid integer, got a number with a fractional part (received: 2.5)"),
        ({"budget": "many"}, "budget", "valid integer, unable to parse string as an integer (received: 'many')"),
        ({"holdout": 0.6}, "holdout", "less than or equal to 0.5 (received: 0.6)"),
        ({"holdout": -0.1}, "holdout", "greater than or equal to 0 (received: -0.1)"),
        ({"holdout": float("nan")}, "holdout", "(received: nan)"),
        ({"tuning": "bayes"}, "tuning", "'none', 'grid' or 'optuna' (received: 'bayes')"),
        ({"tunning": "grid"}, "tunning", "unknown key; did you mean tuning?"),
        ({"resamples": 99}, "resamples", "greater than or equal to 100 (received: 99)"),
        ({"views": "some"}, "views", "'winner', 'all' or 'off' (received: 'some')"),
        ({"view_images": 50}, "view_images", "not a whole number of at least 100, nor all (received: 50)"),
        ({"view_margin": 1}, "view_margin", "less than 1 (received: 1)"),
        ({"permutations": 4}, "permutations", "greater than or equal to 5 (received: 4)"),
        ({"permute": "perhaps"}, "permute", "valid boolean, unable to interpret input (received: 'perhaps')"),
        ({"shuffle": False, "repeats": 2}, "", "so repeats must be 1"),
        ({"split": "given", "holdout": 0.2}, "", "so holdout must be 0"),
        ({"drop_leaks": True}, "", "it needs split: given"),
        ({"split": "mine"}, "split", "'given' or 'ignore' (received: 'mine')"),
        ({"rank_by": "test_accuracy"}, "rank_by", "nothing is ranked by the test part"),
    ],
)
def test_impossible_protocols_are_refused_with_place_and_value(
    tmp_path: Path, section: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        for_folder(tmp_path, evaluation=section)
    assert f"evaluation{'.' if place else ''}{place}: " in str(refused.value)
    assert message in str(refused.value)


def test_views_are_off_as_yaml_reads_it(tmp_path: Path) -> None:
    assert for_folder(tmp_path, evaluation={"views": False}).evaluation.views == "off"


def test_the_limits_themselves_are_possible(tmp_path: Path) -> None:
    for said in ({"holdout": 0.0}, {"holdout": 0.5}, {"budget": 1}, {"resamples": 100}, {"view_images": "all"}):
        assert said.items() <= for_folder(tmp_path, evaluation=said).evaluation.model_dump().items()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "set either blocks: N or stain: N"),
        ({"blocks": 3, "stain": 2}, "set either blocks: N or stain: N"),
        ({"blocks": 1}, "pseudo_patients.blocks: Input should be greater than or equal to 2 (received: 1)"),
        ({"stain": 0}, "pseudo_patients.stain: Input should be greater than or equal to 2 (received: 0)"),
        ({"block": 3}, "pseudo_patients.block: unknown key"),
        (20, "pseudo_patients: Input should be a valid dictionary"),
    ],
)
def test_impossible_pseudo_patients_are_refused_with_their_place(tmp_path: Path, said: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        for_folder(tmp_path, images={"pseudo_patients": said})
    assert "images.pseudo_patients" in str(refused.value)
    assert message in str(refused.value)


@pytest.mark.parametrize("said", [{"blocks": 20}, {"stain": 3}])
def test_searches_and_pseudo_patients_survive_a_file(tmp_path: Path, said: dict[str, int]) -> None:
    selectors = [{"anova": {"n_features": {"search": [5, 10]}}}, "none"]
    first = for_folder(
        tmp_path,
        selectors=selectors,
        classifiers=SEARCHES,
        images={"pseudo_patients": said},
        evaluation={"tuning": "optuna", "budget": 7, "calibration": "temperature", "holdout": 0.25, "resamples": 200},
    )
    mapping = first.to_mapping()
    assert (mapping["classifiers"], mapping["selectors"]) == (SEARCHES, selectors)
    assert read_back(tmp_path, first) == mapping
    again = read_experiment(tmp_path / "again.yaml")
    assert again.images.pseudo_patients == PseudoPatients(**said)
    assert again.evaluation == first.evaluation
    assert [choice.searched for choice in again.classifiers] == [choice.searched for choice in first.classifiers]


def test_an_experiment_cannot_be_changed_behind_its_back(tmp_path: Path) -> None:
    experiment = for_folder(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        experiment.evaluation.permute = True


def test_images_may_be_in_an_object_store(tmp_path: Path) -> None:
    experiment = for_folder(any_path("s3://bucket/my images"))
    assert (experiment.name, str(experiment.images.folder)) == ("my-images", "s3://bucket/my images")
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(experiment.to_mapping()))
    assert read_experiment(file).images == experiment.images
    file.write_text("images: s3://bucket/folder/table.csv\n")
    assert str(read_experiment(file).images.folder) == "s3://bucket/folder/table.csv"


def test_a_run_works_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a run works in a folder of this machine"):
        for_folder(tmp_path, results="s3://bucket/results")
    with pytest.raises(ConfigurationError, match="holds credentials"):
        for_folder(tmp_path, images={"folder": "s3://key:secret@bucket/images"})
