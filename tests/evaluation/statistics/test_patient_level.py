"""Metrics of patients: one label and one mean probability a patient, whatever the number of its images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from leukobench.errors import ConfigurationError
from leukobench.evaluation.statistics.analysis import Analysis

CLASSES = ("a", "b", "c")


def setting(seed: int = 0, repeats: int = 2) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Images of 36 patients of very unequal numbers of images, folds, and weak probabilities."""
    rng = np.random.default_rng(seed)
    images = pd.DataFrame({"patient": np.repeat(np.arange(36), rng.integers(1, 12, 36))})
    images["label"] = images["patient"] % 3
    of_patient = np.stack([np.random.default_rng(r).permutation(36) % 3 for r in range(repeats)])
    scores = rng.normal(size=(repeats, len(images), 3))
    scores[:, np.arange(len(images)), images["label"]] += 0.5
    odds = np.exp(scores)
    return images, of_patient[:, images["patient"]], odds / odds.sum(axis=2, keepdims=True)


def analysis(images: pd.DataFrame, folds: np.ndarray, rank_by: str, **changed: object) -> Analysis:
    labels, patients = images["label"].to_numpy(), [f"p{patient:02}" for patient in images["patient"]]
    settings = {"resamples": 200, "patients": patients} | changed
    return Analysis(labels, CLASSES, images["patient"].to_numpy(), folds, rank_by, **settings)  # type: ignore[arg-type]


def test_they_are_those_of_scikit_learn_on_mean_probabilities() -> None:
    images, folds, probabilities = setting()
    own = analysis(images, folds, "patient_balanced_accuracy")
    own.add(("net", "none", "svm"), "combination", probabilities)
    row = own.tables()["leaderboard"].iloc[0]
    right, balanced, areas = [], [], []
    for repeat in range(2):
        table = pd.DataFrame(probabilities[repeat]).assign(patient=images["patient"], fold=folds[repeat])
        mean = table.groupby("patient").mean()
        labels, predicted = mean.index % 3, mean[[0, 1, 2]].to_numpy().argmax(axis=1)
        right.append((labels == predicted).mean())
        balanced.append(balanced_accuracy_score(labels, predicted))
        for k in range(3):
            inside = [mean["fold"] == fold for fold in range(3)]
            areas.append(np.mean([roc_auc_score(labels[rows] == k, mean.loc[rows, k]) for rows in inside]))
    assert row["patient_accuracy"] == pytest.approx(np.mean(right))
    assert row["patient_balanced_accuracy"] == pytest.approx(np.mean(balanced))
    assert row["patient_auroc"] == pytest.approx(np.mean(areas))
    assert own.patient_metrics(("net", "none", "svm"))["patient_accuracy"].shape == (2, 3)


def test_patients_with_equal_probabilities_are_equal_whatever_the_number_of_their_images() -> None:
    images, folds, probabilities = setting()
    own = analysis(images, folds, "patient_balanced_accuracy")
    own.add(("majority", "none", "none"), "shortcut", np.broadcast_to([1 / 17, 6 / 17, 10 / 17], probabilities.shape))
    assert own.tables()["leaderboard"].iloc[0]["patient_auroc"] == 0.5


def test_the_interval_is_one_of_patients_not_of_images() -> None:
    images, folds, probabilities = setting(repeats=1)
    own = analysis(images, folds, "accuracy")
    own.add(("net", "none", "svm"), "combination", probabilities)
    row = own.tables()["leaderboard"].iloc[0]
    exact = binomtest(round(36 * row["patient_accuracy"]), 36).proportion_ci(method="exact")
    assert row["patient_accuracy_low"] <= exact.low + 1e-9
    assert row["patient_accuracy_high"] >= exact.high - 1e-9
    assert row["patient_accuracy_high"] - row["patient_accuracy_low"] < 1.3 * (exact.high - exact.low)


@pytest.mark.parametrize(("rank_by", "best"), [("accuracy", "images"), ("patient_accuracy", "patients")])
def test_patients_rank_where_the_experiment_says_so(rank_by: str, best: str) -> None:
    images, folds, _ = setting(repeats=1)
    sizes = images.groupby("patient")["patient"].transform("size")
    combination = {"images": sizes >= 8, "patients": sizes < 8}
    own = analysis(images, folds, rank_by)
    for name, right in combination.items():
        answers = np.full((1, len(images), 3), 0.1)
        answers[0, np.arange(len(images)), np.where(right, images["label"], (images["label"] + 1) % 3)] = 0.8
        own.add(("net", name, "svm"), "combination", answers)
    winner = own.winner()
    assert winner is not None
    assert (winner["selector"], winner["metric"]) == (best, rank_by)
    assert winner["low"] < winner["value"] < winner["high"]
    assert winner["corrected"] <= winner["value"]


def test_without_patients_of_every_class_they_cannot_rank() -> None:
    images, folds, probabilities = setting()
    first = images["patient"].duplicated(keep=False) & ~images["patient"].duplicated()
    images.loc[(images["label"] == 2) & ~first, "label"] = 0  # patients of class 2 have another label as well
    with pytest.raises(ConfigurationError, match="cannot be ranked by patients"):
        analysis(images, folds, "patient_auroc")
    own = analysis(images, folds, "auroc")
    own.add(("net", "none", "svm"), "combination", probabilities)
    assert "patient_auroc" not in own.tables()["leaderboard"]
    assert not own.patient_metrics(("net", "none", "svm"))
    with pytest.raises(ConfigurationError, match="cannot be ranked by patients"):
        analysis(images, folds, "patient_auroc", patients=None)
