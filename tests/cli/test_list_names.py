"""``leukobench list``."""

from __future__ import annotations

import pytest

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
