"""Presets: what each one means, and what the user's own settings replace."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from click.testing import CliRunner

from leukobench.cli import cli
from leukobench.config.choice import Choice
from leukobench.config.experiment import Evaluation, Experiment
from leukobench.config.experiment_file import for_folder
from leukobench.config.presets import presets
from leukobench.errors import ConfigurationError
from leukobench.evaluation.methods import estimator_factory
from leukobench.images.layouts import LAYOUTS
from leukobench.steps.choose_methods import fit_rules, make_methods, make_networks

from .round_trip import read_back


def test_cnmc_is_the_challenge_with_all_else_as_by_default() -> None:
    preset, plain = for_folder(Path("images"), "cnmc"), for_folder(Path("images"))
    assert preset.images == plain.images.model_copy(update={"layout": "cnmc"})
    assert preset.evaluation == Evaluation(folds=5, rank_by="f1_weighted")
    assert preset.model_copy(update={"images": plain.images, "evaluation": plain.evaluation}) == plain
    assert preset.images.layout in LAYOUTS.names()
    given = for_folder(Path("images"), "cnmc-challenge")
    assert given.evaluation == preset.evaluation.model_copy(update={"split": "given"})
    assert given.images.layout in LAYOUTS.names()


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
    assert estimator_factory(head, rules, list, ())().oversample == "smote"
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


def test_every_preset_is_listed_where_the_help_says_and_installed_with_the_package() -> None:
    words = CliRunner().invoke(cli, ["run", "--help"], terminal_width=200).output
    assert "`leukobench list presets`" in words
    listed = CliRunner().invoke(cli, ["list", "presets"]).output
    assert set(presets()) <= {line.partition(" ")[0] for line in listed.splitlines()}
    listed = [line.split()[0] for line in CliRunner().invoke(cli, ["list", "presets"]).output.splitlines() if line]
    assert listed[: len(presets())] == list(presets())
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
    assert "expected: cnmc, cnmc-challenge, dinobloom-probe" in str(refused.value)
    result = CliRunner().invoke(cli, ["run", "--images", str(tmp_path), "--preset", "cnmcc"])
    assert result.exit_code == 2
    assert "There is no preset called 'cnmcc'" in result.output


def test_the_command_line_wins_over_the_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Experiment] = []
    monkeypatch.setattr("leukobench.cli.run._run", lambda experiment, *rest: asked.append(experiment) or 0)
    options = ["run", "--images", str(tmp_path), "--preset", "cnmc"]
    for more in ([], ["--folds", "3", "--layout", "folders"]):
        assert CliRunner().invoke(cli, [*options, *more]).exit_code == 0
    assert [(one.evaluation.folds, one.images.layout) for one in asked] == [(5, "cnmc"), (3, "folders")]
    assert {one.evaluation.rank_by for one in asked} == {"f1_weighted"}
