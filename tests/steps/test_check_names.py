"""Names are checked all at once, before anything is downloaded or read."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.config.experiment_file import for_folder
from leukobench.errors import CodeNotAllowedError, ConfigurationError, UnknownNameError
from leukobench.networks import weights
from leukobench.pipeline import run
from leukobench.steps.check_names import check_methods, check_names

UNKNOWN = {
    "extractors": ["efficientnet_lit0", {"vgg16": {"poling": "max"}}, "resnet101"],
    "selectors": ["anovaa"],
    "classifiers": [{"svm_rbf": {"c": 1}}, "lda"],
    "cnns": ["custom_cn"],
    "evaluation": {"rank_by": "acuracy"},
}


def test_all_mistakes_are_named_before_a_download_or_a_look_at_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_download", None)
    experiment = for_folder(tmp_path / "absent", results=tmp_path, images={"layout": "foldrs"}, **UNKNOWN)
    with pytest.raises(ConfigurationError, match="has 7 mistakes") as refusal:
        run(experiment, workers=1)
    lines = str(refusal.value).splitlines()[1:]
    nearest = ("efficientnet_lite0", "pooling", "anova", "C", "custom_cnn", "folders", "accuracy")
    places = ("extractors.0", "extractors.1", "selectors.0", "classifiers.0", "cnns.0", "images.layout")
    for line, place, name in zip(lines, (*places, "evaluation.rank_by"), nearest, strict=True):
        assert line.strip().startswith(f"{place}: ")
        assert f"did you mean {name}" in line


def test_a_single_mistake_keeps_its_four_parts(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"(?s)no classifier called 'ldaa'.*expected:.*received: ldaa.*fix:"):
        check_names(for_folder(tmp_path, classifiers=["ldaa"]))
    with pytest.raises(ConfigurationError, match="No combination can be ranked by sensitivity"):
        check_names(for_folder(tmp_path, evaluation={"rank_by": "sensitivity"}))
    check_names(for_folder(tmp_path, images={"layout": "site/class"}))


def test_code_that_is_not_allowed_is_named_with_all_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("not_allowed_a", "not_allowed_b"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('it ran')\n")
    experiment = for_folder(tmp_path, selectors=["not_allowed_a:X"], classifiers=["not_allowed_b:Y", "svmm"])
    with pytest.raises(CodeNotAllowedError, match="has 3 mistakes") as refusal:
        check_names(experiment)
    assert len(refusal.value.digests) == 2
    assert all(f"--allow-code {digest}" in str(refusal.value) for digest in refusal.value.digests)
    assert str(tmp_path / "not_allowed_b.py") in str(refusal.value)


def test_of_a_run_the_methods_that_are_fitted_are_checked_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("not_allowed_a", "not_allowed_b", "not_allowed_c"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('it ran')\n")
    names = {"extractors": ["not_allowed_a:X", "not_allowed_c:Z"], "images": {"layout": "not_allowed_c:L"}}
    experiment = for_folder(tmp_path, classifiers=["not_allowed_b:Y"], **names)
    with pytest.raises(CodeNotAllowedError, match="needs code of your own") as refusal:
        check_methods(experiment, ["not_allowed_a:X"])
    assert len(refusal.value.digests) == 2
    assert "not_allowed_c" not in str(refusal.value)
