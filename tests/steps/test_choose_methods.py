"""From what an experiment says to methods: very many images get variants that can be fitted to them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics.pairwise import rbf_kernel

from leukobench import pipeline
from leukobench.classifiers import CLASSIFIERS, large_data
from leukobench.classifiers.large_data import MOST_IMAGES, variant_of
from leukobench.classifiers.svm import GaussianSample
from leukobench.config.experiment_file import for_folder
from leukobench.steps.choose_methods import experiment_for_size, make_methods

VARIANTS = {name: variant_of(name) for name in CLASSIFIERS.shipped_names() if variant_of(name) != name}


def asked(**settings: Any) -> Any:
    return for_folder(Path("anywhere"), **settings)


def names(experiment: Any) -> list[str]:
    return [choice.label for choice in experiment.classifiers]


def test_few_images_change_nothing() -> None:
    assert experiment_for_size(asked(), MOST_IMAGES) == (asked(), [])


def test_many_images_get_variants_and_words() -> None:
    made, words = experiment_for_size(asked(), MOST_IMAGES + 1)
    assert names(made)[:3] == ["svm_linear_primal", "svm_rbf_nystroem", "random_forest"]
    assert len(made.classifiers) == len(asked().classifiers)
    assert [word.split()[0] for word in words] == ["svm_linear_primal", "svm_rbf_nystroem"]
    assert all("20,001" in word and "large_data: exact" in word for word in words)


def test_who_insists_is_obeyed() -> None:
    said = asked(evaluation={"large_data": "exact"})
    assert experiment_for_size(said, 10**6) == (said, [])
    said = asked(evaluation={"large_data": "always"})
    assert names(experiment_for_size(said, 10)[0])[:2] == ["svm_linear_primal", "svm_rbf_nystroem"]


def test_parameters_and_searches_are_kept_and_twins_are_not_made() -> None:
    said = asked(classifiers=[{"svm_rbf": {"C": 3.0, "gamma": {"search": [0.1, 1.0]}}}, "svm_rbf_nystroem", "svm_rbf"])
    made, _ = experiment_for_size(said, 10**6)
    assert names(made) == ["svm_rbf_nystroem(C=3.0, gamma=tuned)", "svm_rbf_nystroem"]
    assert len(make_methods(made)[1][0].candidates) == 2


def test_only_support_vector_machines_with_a_kernel_have_variants() -> None:
    assert VARIANTS == {"svm_linear": "svm_linear_primal", "svm_rbf": "svm_rbf_nystroem"}
    assert variant_of("sklearn.dummy.DummyClassifier") == "sklearn.dummy.DummyClassifier"


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_takes_whatever_its_original_takes(name: str) -> None:
    original, variant = CLASSIFIERS.parameters(name), CLASSIFIERS.parameters(VARIANTS[name])
    assert {key: variant[key] for key in original} == original


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_decides_much_as_its_original(name: str) -> None:
    X, y = make_classification(1200, 30, n_informative=10, n_classes=3, class_sep=1.5, random_state=0)
    first, second = (
        CLASSIFIERS.make(one, {}, {"random_state": 0}).fit(X[:800], y[:800]) for one in (name, VARIANTS[name])
    )
    scores = [(fitted.predict(X[800:]) == y[800:]).mean() for fitted in (first, second)]
    assert scores[1] == pytest.approx(scores[0], abs=0.05)
    assert (first.predict(X[800:]) == second.predict(X[800:])).mean() > 0.9


@pytest.mark.parametrize(("gamma", "width"), [("scale", None), ("auto", 1 / 7), (0.3, 0.3)])
def test_a_sample_of_all_images_is_the_kernel_itself(gamma: Any, width: float | None) -> None:
    X = np.random.default_rng(0).normal(size=(60, 7)) * 2
    mapped = GaussianSample(gamma=gamma, n_components=1000, random_state=0).fit_transform(X)
    expected = rbf_kernel(X, gamma=width or 1 / (7 * X.var()))
    np.testing.assert_allclose(mapped @ mapped.T, expected, atol=1e-6)


@pytest.mark.slow
def test_a_run_says_beforehand_and_on_its_tables_what_was_replaced(
    experiment: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(large_data, "MOST_IMAGES", 50)
    with caplog.at_level(logging.INFO, "leukobench"):
        outcome = pipeline.run(experiment(selectors=["none"], classifiers=["svm_rbf", "lda"]), 1)
    messages = [record.message for record in caplog.records]
    replaced, extracted = (
        next(place for place, line in enumerate(messages) if line.startswith(words))
        for words in ("svm_rbf_nystroem replaces svm_rbf", "Features of")
    )
    assert replaced < extracted
    assert set(outcome.leaderboard["classifier"]) >= {"svm_rbf_nystroem", "lda", "svm_rbf_nystroem(scale=True)"}
    assert not outcome.leaderboard["classifier"].str.startswith("svm_rbf(").any()
    assert any(line.startswith("svm_rbf_nystroem replaces svm_rbf") for line in outcome.protocol)
    assert "svm_rbf_nystroem" in (outcome.folder / "experiment.yaml").read_text()
    assert pipeline.run(experiment(selectors=["none"], classifiers=["svm_rbf", "lda"]), 1).reused
