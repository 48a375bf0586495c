"""Presets: what each one means, and what the user's own settings replace."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from leukobench.classifiers.cnns import CNNS
from leukobench.cli import cli
from leukobench.config.choice import Choice
from leukobench.config.experiment import GRID, Evaluation, Experiment
from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.config.presets import preset_words, presets
from leukobench.errors import ConfigurationError
from leukobench.evaluation.methods import estimator_factory
from leukobench.features.extractors import EXTRACTORS
from leukobench.images.layouts import LAYOUTS
from leukobench.pipeline import run
from leukobench.runs.folder import RunFolder
from leukobench.runs.identity import deciding_parts, run_digest
from leukobench.runs.workspace import Workspace
from leukobench.steps.choose_methods import fit_rules, make_methods, make_networks
from leukobench.steps.prepare_run import prepare_run

from .round_trip import read_back


def test_cnmc_is_the_challenge_with_all_else_as_by_default() -> None:
    preset, plain = for_folder(Path("images"), "cnmc"), for_folder(Path("images"))
    assert preset.images == plain.images.model_copy(update={"layout": "cnmc"})
    assert preset.evaluation == Evaluation(folds=5, rank_by="f1_weighted")
    assert preset.model_copy(update={key: getattr(plain, key) for key in ("images", "evaluation", "preset")}) == plain
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


def test_preanto2024_is_the_grid_of_the_paper() -> None:
    preset = for_folder(Path("images"), "preanto2024")
    grid = [[choice.label for choice in getattr(preset, family)] for family in GRID]
    assert grid == [
        ["inceptionv3", "resnet101", "vgg19", "densenet121", "mobilenetv2"],
        ["anova", "rfe", "forest", "lasso", "pca"],
        ["naive_bayes", "random_forest", "svm_rbf", "knn"],
    ]
    assert preset.evaluation == Evaluation(rank_by="accuracy")


def test_jns2025_is_a_head_on_vgg16() -> None:
    preset = for_folder(Path("images"), "jns2025")
    assert [choice.label for choice in preset.cnns] == ["vgg16_head"]
    assert CNNS.get("vgg16_head").keywords == {"network": "vgg16"}
    assert [choice.label for choice in preset.extractors] == ["vgg16"]


@pytest.mark.parametrize("name", list(presets()))
def test_every_preset_says_what_it_is_taken_from_and_how_it_differs(name: str) -> None:
    preset = presets()[name]
    for words in (preset.source, preset.reported, preset.differs):
        assert words.strip() == words
        assert "\n" not in words
    assert preset.reported == "unknown" or re.search(r"\d", preset.reported)
    assert not preset.differs.endswith(".")
    assert len(preset.differs) <= 400, "one line"
    assert {"source", "reported", "differs", "experiment"} == preset.to_json().keys()


@pytest.mark.parametrize("name", list(presets()))
def test_methods_of_every_preset_can_be_made_and_it_reads_back(tmp_path: Path, name: str) -> None:
    preset = for_folder(tmp_path, name)
    selectors, classifiers = make_methods(preset)
    assert len(selectors) * len(classifiers) == len(preset.selectors) * len(preset.classifiers) > 0
    assert preset.to_mapping()["preset"] == name
    assert read_back(tmp_path, preset) == preset.to_mapping()
    assert {choice.name for choice in preset.extractors} <= set(EXTRACTORS.names())


@pytest.mark.slow
@pytest.mark.parametrize("name", list(presets()))
def test_every_preset_passes_all_checks_before_the_work(name: str, smears: Path, tmp_path: Path) -> None:
    """With random weights, where those of ImageNet cannot be downloaded; the layouts are those of the smears."""
    preset = for_folder(smears, name, images={"layout": "folders"}, results=tmp_path, evaluation={"split": "ignore"})
    own = {
        "extractors": [_random(choice) for choice in preset.extractors],
        "cnns": [_random(choice) if choice.name != "custom_cnn" else choice for choice in preset.cnns],
    }
    prepared = prepare_run(preset.model_copy(update=own), Workspace(RunFolder(tmp_path / name), 1))
    assert len(prepared.index) == 96
    combinations = len(prepared.extractors) * len(prepared.methods[0]) * len(prepared.methods[1])
    assert combinations == len(preset.extractors) * len(preset.selectors) * len(preset.classifiers)
    assert len(prepared.networks) == len(preset.cnns)


def _random(choice: Choice) -> Choice:
    return choice.model_copy(update={"parameters": choice.parameters | {"weights": "random"}})


@pytest.mark.slow
def test_a_run_of_a_preset_says_how_it_differs(experiment: Callable[..., Experiment], tmp_path: Path) -> None:
    said = {"classifiers": ["naive_bayes"], "selectors": ["anova", "pca"], "evaluation": {"rank_by": "accuracy"}}
    outcome = run(experiment(preset="preanto2024", **said), workers=1)
    (line,) = [line for line in outcome.protocol if line.startswith("preset preanto2024 (S. A. Preanto et al.")]
    assert presets()["preanto2024"].differs in line
    assert line.endswith("changed from the preset: extractors, selectors, classifiers")
    text = re.sub(r"<wbr>|\xad|&shy;", "", (outcome.folder / "report.html").read_text(encoding="utf-8"))
    assert text.count("Preset preanto2024 (S. A. Preanto et al.") >= 2, "beside the leaderboard, and in the methods"
    assert yaml.safe_load((outcome.folder / "experiment.yaml").read_text())["preset"] == "preanto2024"


def test_an_experiment_file_names_a_preset_and_overrides_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("preset: tamim2025\nimages: {folder: smears}\nevaluation: {folds: 3}\n")
    experiment = read_experiment(path)
    assert experiment == for_folder(tmp_path / "smears", "tamim2025", name="mine", evaluation={"folds": 3})
    assert preset_words(experiment).endswith("; changed from the preset: evaluation.folds")
    assert "changed" not in preset_words(for_folder(tmp_path, "tamim2025"))
    assert preset_words(for_folder(tmp_path)) == ""
    for wrong in ("tamim", "[tamim2025]", "{}"):
        path.write_text(f"preset: {wrong}\nimages: {{folder: smears}}\n")
        with pytest.raises(ConfigurationError, match="There is no preset called"):
            read_experiment(path)


def test_a_preset_decides_only_what_is_said_of_a_run(tmp_path: Path) -> None:
    preset = for_folder(tmp_path, "preanto2024")
    plain = preset.model_copy(update={"preset": None})
    assert deciding_parts(preset) == deciding_parts(plain)
    assert run_digest(preset, [], [], "images") != run_digest(plain, [], [], "images"), "its answer is written anew"


def test_every_preset_is_listed_where_the_help_says_and_installed_with_the_package() -> None:
    words = CliRunner().invoke(cli, ["run", "--help"], terminal_width=200).output
    assert "`leukobench list presets`" in words
    listed = CliRunner().invoke(cli, ["list", "presets"]).output
    names = [line.partition(" ")[0] for line in listed.splitlines() if line and not line.startswith(" ")]
    assert names[: len(presets())] == list(presets())
    for preset in presets().values():
        assert f"\n                 differs: {preset.differs}\n" in listed
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert "presets.yaml" in setup["options.package_data"]["leukobench.config"].split()
    printed = CliRunner().invoke(cli, ["list", "presets", "--json"]).stdout
    assert json.loads(printed) == {name: preset.to_json() for name, preset in presets().items()}


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
