from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from leukobench.config.choice import Choice, Search
from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.errors import ConfigurationError


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_short_forms(tmp_path: Path) -> None:
    path = write(tmp_path, "images: smears\nextractors: [a, {b: {c: 1}}, {d: }]")
    read = read_experiment(path)
    assert [choice.label for choice in read.extractors] == ["a", "b(c=1)", "d"]
    assert read.name == "mine"
    assert read.images.folder == tmp_path / "smears"
    assert read.results == Path("results")


def test_weights_of_an_extractor_are_relative_to_the_file_and_short_in_tables(tmp_path: Path) -> None:
    arguments = {"depth": 2, "layer": "timm.layers.SwiGLUPacked", "tokens": 8, "size": 224}
    named = [{"timm:x": {"weights": "w/v.safetensors", "model_args": arguments}}, {"resnet50": {"weights": "random"}}]
    first, second = read_experiment(write(tmp_path, yaml.safe_dump({"images": "x", "extractors": named}))).extractors
    assert first.parameters == {"weights": str(tmp_path / "w" / "v.safetensors"), "model_args": arguments}
    assert re.fullmatch(r"timm:x\(model_args=[0-9a-f]{8}, weights=v\.safetensors\)", first.label)
    assert second.label == "resnet50(weights=random)"


def test_what_was_resolved_reads_back_as_the_same_experiment(tmp_path: Path) -> None:
    first = for_folder(tmp_path, name="again", evaluation={"folds": 3})
    path = write(tmp_path, yaml.safe_dump(first.to_mapping()))
    assert read_experiment(path).to_mapping() == first.to_mapping()


def test_the_stamped_file_of_a_run_is_an_experiment_file(tmp_path: Path) -> None:
    said = for_folder(tmp_path).to_mapping() | {"resolved": {"software": {"numpy": "2"}}}
    assert read_experiment(write(tmp_path, yaml.safe_dump(said))).name == tmp_path.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images: x\nclasifiers: [svm]", "clasifiers: unknown key; did you mean classifiers"),
        ("images: x\nexclude_classes: [a]", "exclude_classes: unknown key; did you mean images.exclude_classes"),
        ("images: {folder: x, results: y}", "images.results: unknown key; did you mean results"),
        ("images: {folder: x, lay: y}", "images.lay: unknown key; did you mean layout"),
        ("images: {folder: x, group: '(('}", "not a regular expression"),
        ("images: x\nevaluation: {folds: 1}", "greater than or equal to 2"),
        ("images: x\nevaluation: {balance: undersample}", "evaluation.balance"),
        ("images: x\nselectors: []", "selectors"),
        ("images: x\nselectors: [anova, anova]", "listed twice: anova"),
        ("images: x\nname: ../elsewhere", "name"),
        ("evaluation: {folds: 3}", "images: Field required"),
        ("- a\n- b", "holds no keys"),
        ("a: [", "cannot be read"),
    ],
)
def test_mistakes_are_refused_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_experiment(write(tmp_path, text))


def test_merge_keys_work_and_repeated_keys_beside_them_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "merge.yaml"
    parts = ["efficientnet_lite0: &p {pooling: multilevel}", "efficientnet_lite0: {<<: *p, orientations: 8}"]
    path.write_text("images: pictures\nextractors:\n" + "".join(f"  - {part}\n" for part in parts))
    first, second = read_experiment(path).extractors
    assert first.parameters == {"pooling": "multilevel"}
    assert second.parameters == {"pooling": "multilevel", "orientations": 8}
    nested = "base: &b {folds: 3}\nnext: [{deeper: &m {<<: *b, folds: 4}}]\nevaluation: {<<: *m}\n"
    for text in ("images: {<<: *p, <<: *p}", "images: {<<: {folder: a}, layout: b, layout: c}", f"{nested}next: 1"):
        path.write_text(f"extractors: [a: &p {{b: c}}]\n{text}\n")
        with pytest.raises(ConfigurationError, match="repeated, line"):
            read_experiment(path)
    path.write_text(f"images: pictures\n{nested}")
    with pytest.raises(ConfigurationError, match="2 mistakes") as caught:  # base and next, and no repeated key
        read_experiment(path)
    assert "unknown key" in str(caught.value)
    path.write_text("x-base: &b {folds: 3}\n.more: &m {repeats: 2}\nimages: pictures\nevaluation: {<<: [*b, *m]}\n")
    evaluation = read_experiment(path).evaluation
    assert (evaluation.folds, evaluation.repeats) == (3, 2)


def test_a_run_named_after_a_long_name_leaves_room_for_others(tmp_path: Path) -> None:
    name = "\u826f" * 85
    for experiment in (for_folder(tmp_path / name), for_folder(tmp_path / f"{'x' * 250}.csv")):
        assert len(experiment.name.encode()) <= 200
    assert for_folder(tmp_path / "images").name == "images"


def test_an_absent_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no experiment file") as caught:
        read_experiment(tmp_path / "absent.yaml")
    assert caught.value.fix == "correct the path."
    write(tmp_path, "images: x").rename(tmp_path / "cells.yaml")
    with pytest.raises(ConfigurationError) as caught:
        read_experiment(tmp_path / "cellz.yaml")
    assert caught.value.fix == f"did you mean {tmp_path / 'cells.yaml'}?"


def test_labels_show_what_is_not_default() -> None:
    assert Choice(name="rfe", parameters={"n_features": 50}).label == "rfe(n_features=50)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images: x\nselectors: [none]\nselectors: [anova]", "repeated, line 1: selectors"),
        ("images: x\nclassifiers: [{lda: 0}]", "classifiers.0.parameters"),
        ("images: ~nosuchuser/x", "path in the experiment file is invalid"),
        ("images: x\nname: 2024-13-45", "cannot be read"),
    ],
)
def test_silent_losers_and_impossible_values_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_experiment(write(tmp_path, text))


def searching(**said: Any) -> dict[str, Any]:
    return {"classifiers": [{"svm_rbf": {"C": {"search": said}}}]}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (searching(lo=1, high=3), r"C\.search\.lo.*allowed here: values, low"),
        (searching(values=[1], low=5), "a list of values, or low below"),
        (searching(low=1, high=float("inf")), "finite"),
        ({"extractors": [{"efficientnet_lite0": {"pooling": {"search": ["max"]}}}]}, "only selectors and classifiers"),
        ({"images": {"pseudo_patients": {"block": 3}}}, "did you mean blocks"),
        ({"images": None}, "images"),
        ({"evaluation": None}, "evaluation"),
    ],
)
def test_mistakes_in_searches_and_sections_are_named(tmp_path: Path, said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        for_folder(tmp_path, "cnmc", **said)


def test_ranges_of_whole_numbers_are_whole() -> None:
    search = Search(low=1, high=15)
    assert search.points(5, whole=True) == [1, 4, 8, 12, 15]
    assert search.points(3) == [1, 8, 15]
    assert Search(low=1, high=3).points(25, whole=True) == [1, 2, 3]
    assert Search(low=0.01, high=1, log=True).points(3) == pytest.approx([0.01, 0.1, 1])


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"{n}: &{n} [{', '.join([f'*{before}'] * 9)}]\n" for before, n in pairwise("abcdefghij"))
        + "extractors: *j\nimages: x",
        "images: " + "[" * 20_000,
        "images: &a [*a]",
        "images: {folder: x, group: '" + "(" * 5000 + ")" * 5000 + "'}",
        "images: x\n" + "# long\n" * 2_000_000,  # its beginning alone would be another experiment
    ],
    ids=["alias bomb", "nesting", "a list in itself", "parentheses", "millions of lines"],
)
def test_a_hostile_file_is_refused_at_once(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text)
    start = sum(os.times()[:4])
    with pytest.raises(ConfigurationError) as refused:
        read_experiment(tmp_path / "x.yaml")
    assert sum(os.times()[:4]) - start < 2, "seconds of processors, of this process and its children"
    assert len(str(refused.value)) < 1000
