"""``leukobench list``."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.networks.applications import applications
from leukobench.networks.recipes import recipes

from .calls import call


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("extractors", ["inceptionv3", "resnet101", "vgg19", "densenet121", "mobilenetv2", "vgg16", "pooling=average"]),
        ("selectors", ["anova", "rfe", "lasso", "forest", "pca", "none", "n_features=200"]),
        ("classifiers", ["svm_rbf", "C=10.0", "xgboost", "naive_bayes", "knn", "lda", "max_depth=3"]),
        ("cnns", ["custom_cnn", "binary_cnn", "transfer", "mobilenetv2_head", "vgg16_head", "epochs=30", "cnns:"]),
        ("layouts", ["folders", "cnmc", "allidb", "aml_mll", "manifest"]),
        ("metrics", ["auroc", "rank combinations", "leukobench.metrics"]),
        (
            "presets",
            ["dinobloom-probe", "linear_probe", "rank_by=f1_weighted", "experiment file", "not its network"],
        ),
        ("report_sections", ["leaderboard", "answer in sentences", "leukobench.report_sections"]),
        ("commands", ["predict", "Predict the class", "leukobench.commands"]),
    ],
)
def test_list_shows_names_and_defaults(family: str, names: list[str]) -> None:
    code, output = call("list", family)
    assert code == 0
    assert [name for name in names if name not in output] == []


def test_an_unknown_family_is_a_mistake_that_lists_the_families() -> None:
    code, output = call("list", "networks")
    assert code == 2
    assert all(
        part in output for part in ("There is no family called 'networks'", "report_sections", "commands", "fix:")
    )


def test_without_a_family_all_are_counted() -> None:
    code, words = call("list")
    lines = words.splitlines()
    assert code == 0
    assert lines[1].split() == ["selectors", "6", "none,", "anova,", "rfe,", "lasso,", "forest,", "pca"]
    assert max(map(len, lines)) <= 80
    assert "leukobench list FAMILY" in lines[-1]


def test_all_extractors_have_licence_size_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KERAS_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / applications()["resnet50"].published.name).touch()
    code, output = call("list", "extractors", "--all")
    assert code == 0
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line}
    assert applications().keys() | {one.name.partition(" ")[0] for one in recipes()} <= rows.keys()
    assert rows["efficientnet_lite0"][1:] == ["EfficientNet-Lite0", "1,280", "224", "19", "Apache-2.0", "no", "yes"]
    assert rows["resnet50"][1:] == ["ResNet50", "2,048", "224", "94", "MIT", "no", "yes"]
    assert rows["vgg16"][1:] == ["VGG16", "512", "224", "59", "CC-BY-4.0", "no", "no"]
    assert rows["timm:hf-hub:MahmoodLab/UNI2-h"][-3:] == ["CC-BY-NC-ND-4.0", "yes", "no"]
    assert call("list", "selectors", "--all")[0] == 2
