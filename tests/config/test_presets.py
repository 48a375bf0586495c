"""Presets, and what an experiment may say about searches, calibration, sealed groups and pseudo-patients."""

from __future__ import annotations

import configparser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from pydantic import ValidationError

from leukobench.cli import cli
from leukobench.config.choice import Choice, Search
from leukobench.config.experiment import Evaluation, Experiment, PseudoPatients
from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.config.presets import presets
from leukobench.errors import ConfigurationError
from leukobench.evaluation.methods import prepared
from leukobench.images.layouts import LAYOUTS
from leukobench.steps.choose_methods import fit_rules, make_methods, make_networks

SEARCHES = [
    {"svm_rbf": {"scale": True, "C": {"search": [1, 10]}, "gamma": {"search": ["scale", 0.01]}}},
    {"lda": {"shrinkage": {"search": {"low": 0.1, "high": 0.9}}}},
    {"logistic_regression": {"C": {"search": {"low": 0.01, "high": 100, "log": True}}}},
]


def test_cnmc_is_the_challenge_with_all_else_as_by_default() -> None:
    preset, plain = for_folder(Path("images"), "cnmc"), for_folder(Path("images"))
    assert preset.images == plain.images.model_copy(update={"layout": "cnmc"})
    assert preset.evaluation == Evaluation(folds=5, rank_by="f1_weighted")
    assert preset.model_copy(update={"images": plain.images, "evaluation": plain.evaluation}) == plain
    assert preset.images.layout in LAYOUTS.names()


def test_dinobloom_probe_is_a_linear_probe_and_neighbours_on_folds_in_order() -> None:
    preset = for_folder(Path("images"), "dinobloom-probe")
    assert preset.evaluation == Evaluation(folds=5, shuffle=False, rank_by="f1_weighted")
    assert [choice.label for choice in preset.classifiers] == [
        "linear_probe",
        "knn(n_neighbors=1)",
        "knn(n_neighbors=20)",
    ]
    assert [choice.label for choice in [*preset.extractors, *preset.selectors]] == ["efficientnet_lite0", "none"]
    assert preset.images == for_folder(Path("images")).images


def test_networks_of_the_presets_are_made_on_balanced_training_parts() -> None:
    paper = for_folder(Path("images"), "tamim2025")
    assert paper.evaluation == Evaluation(folds=5, balance="smote", rank_by="accuracy")
    own = paper.model_copy(update={"cnns": [Choice.model_validate({"mobilenetv2_head": {"weights": "random"}})]})
    head, *_ = make_networks(own)
    rules = fit_rules(own)
    assert prepared(head, rules, list, ())().oversample == "smote"
    assert [network.label for network in make_networks(for_folder(Path("images"), "cnns"))] == [
        "custom_cnn",
        "transfer",
        "transfer(unfreeze_from=block8, fine_epochs=8, patience=4)",
    ]


@pytest.mark.parametrize("name", list(presets()))
def test_methods_of_every_preset_can_be_made_and_it_reads_back(tmp_path: Path, name: str) -> None:
    preset = for_folder(tmp_path, name)
    selectors, classifiers = make_methods(preset)
    assert len(selectors) * len(classifiers) == len(preset.selectors) * len(preset.classifiers) > 0
    assert read_back(tmp_path, preset) == preset.to_mapping()


def test_the_help_says_where_presets_are_listed_and_they_are_installed_with_the_package() -> None:
    words = CliRunner().invoke(cli, ["run", "--help"], terminal_width=200).output
    assert "`leukobench list presets`" in words
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert "presets.yaml" in setup["options.package_data"]["leukobench.config"].split()


def test_what_the_user_says_wins_over_the_preset_and_the_rest_of_it_stays() -> None:
    said = {
        "name": "mine",
        "classifiers": ["lda"],
        "evaluation": {"folds": 3, "shuffle": True, "tuning": "grid"},
        "images": {"layout": "folders"},
    }
    preset = for_folder(Path("images"), "dinobloom-probe", **said)
    assert preset.name == "mine"
    assert [choice.label for choice in preset.classifiers] == ["lda"]
    assert preset.evaluation == Evaluation(folds=3, shuffle=True, tuning="grid", rank_by="f1_weighted")
    assert [choice.label for choice in preset.extractors] == ["efficientnet_lite0"]
    assert for_folder(Path("images"), "cnmc", **said).images.layout == "folders"
    grouped = for_folder(Path("images"), "cnmc", images={"group": "(p[0-9]+)"}).images
    assert (grouped.layout, grouped.group) == ("cnmc", "(p[0-9]+)")


def test_one_preset_leaves_no_trace_in_the_next() -> None:
    before = for_folder(Path("images"), "cnmc").to_mapping()
    for_folder(Path("images"), "cnmc", evaluation={"folds": 9}, images={"layout": "folders"})
    assert for_folder(Path("images"), "cnmc").to_mapping() == before


def test_an_unknown_preset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no preset called 'cnmcc'") as refused:
        for_folder(tmp_path, "cnmcc")
    assert "expected: cnmc, dinobloom-probe" in str(refused.value)
    result = CliRunner().invoke(cli, ["run", "--images", str(tmp_path), "--preset", "cnmcc"])
    assert result.exit_code == 2
    assert "There is no preset called 'cnmcc'" in result.output


def test_the_command_line_wins_over_the_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Experiment] = []
    monkeypatch.setattr("leukobench.cli.run._run", lambda experiment, workers: asked.append(experiment) or 0)
    options = ["run", "--images", str(tmp_path), "--preset", "cnmc"]
    for more in ([], ["--folds", "3", "--layout", "folders"]):
        assert CliRunner().invoke(cli, [*options, *more]).exit_code == 0
    assert [(one.evaluation.folds, one.images.layout) for one in asked] == [(5, "cnmc"), (3, "folders")]
    assert {one.evaluation.rank_by for one in asked} == {"f1_weighted"}


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
        ({"permute": "perhaps"}, "permute", "valid boolean, unable to interpret input (received: 'perhaps')"),
        ({"shuffle": False, "repeats": 2}, "", "so repeats must be 1"),
    ],
)
def test_impossible_protocols_are_refused_with_place_and_value(
    tmp_path: Path, section: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        for_folder(tmp_path, evaluation=section)
    assert f"evaluation{'.' if place else ''}{place}: " in str(refused.value)
    assert message in str(refused.value)


def test_the_limits_themselves_are_possible(tmp_path: Path) -> None:
    for said in ({"holdout": 0.0}, {"holdout": 0.5}, {"budget": 1}, {"resamples": 100}):
        assert said.items() <= for_folder(tmp_path, evaluation=said).evaluation.model_dump().items()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "give a list of values, or low below high"),
        ({}, "give a list of values, or low below high"),
        (5, "C.search: Input should be a valid dictionary"),
        ({"low": 1}, "give a list of values, or low below high"),
        ({"low": 2, "high": 1}, "give a list of values, or low below high"),
        ({"low": 1, "high": 1}, "give a list of values, or low below high"),
        ({"low": 0, "high": 1, "log": True}, "both above 0 with log: true"),
        ({"values": [1], "low": 1, "high": 2}, "give a list of values, or low below high"),
        ({"values": [1, 2], "log": True}, "give a list of values, or low below high"),
        ({"low": "a", "high": 2}, "valid number"),
        ({"low": 1, "high": 2, "step": 1}, "step: unknown key"),
    ],
)
def test_impossible_searches_are_refused_with_their_place(tmp_path: Path, said: Any, message: str) -> None:
    for family in ("selectors", "classifiers"):
        with pytest.raises(ConfigurationError) as refused:
            for_folder(tmp_path, **{family: ["first", {"second": {"C": {"search": said}}}]})
        assert f"{family}.1" in str(refused.value)
        assert message in str(refused.value)


def test_fixed_and_searched_parameters_are_told_apart() -> None:
    choice = Choice.model_validate(SEARCHES[0])
    assert choice.fixed == {"scale": True}
    assert {name: search.points(5) for name, search in choice.searched.items()} == {
        "C": [1, 10],
        "gamma": ["scale", 0.01],
    }
    assert choice.label == "svm_rbf(scale=True, C=tuned, gamma=tuned)"
    mapping = Choice.model_validate({"a": {"weights": {"search": 1, "other": 2}}})
    assert (mapping.fixed, mapping.searched) == ({"weights": {"search": 1, "other": 2}}, {})


@pytest.mark.parametrize("count", [2, 5, 25])
def test_points_of_a_range_begin_and_end_with_its_limits(count: int) -> None:
    for low, high, log in ((0.01, 100, True), (1, 3, False), (-1, 1, False)):
        points = Search(low=low, high=high, log=log).points(count)
        assert len(points) == count
        assert points == sorted(set(points))
        assert (points[0], points[-1]) == (pytest.approx(low), pytest.approx(high))
        steps = [after / before if log else after - before for before, after in pairwise(points)]
        assert steps == pytest.approx([steps[0]] * (count - 1))


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


def read_back(folder: Path, experiment: Experiment) -> dict[str, Any]:
    """What an experiment says after a journey through a file."""
    path = folder / "again.yaml"
    path.write_text(yaml.safe_dump(experiment.to_mapping()))
    return read_experiment(path).to_mapping()


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
