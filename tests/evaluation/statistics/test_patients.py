from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from leukobench.evaluation.statistics.patients import Patients, patient_scores, predict_patients


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), repeats=st.integers(1, 3))
def test_patients_equal_a_plain_group_by(seed: int, repeats: int) -> None:
    rng = np.random.default_rng(seed)
    code = np.concatenate([np.arange(9), rng.integers(0, 9, 50)])
    labels, names = (code % 3).astype(np.int64), [f"p{i}" for i in code]
    probabilities = rng.dirichlet(np.ones(3), (repeats, len(code)))
    found = Patients.of(names, labels)
    own = predict_patients(found, probabilities)
    table = pd.DataFrame(probabilities.reshape(-1, 3)).assign(patient=names * repeats)
    predicted = pd.Series(probabilities.reshape(-1, 3).argmax(axis=1))
    votes = predicted.groupby(table["patient"]).value_counts(normalize=True)
    mean = table.groupby("patient").mean()
    for row, name in enumerate(found.names):
        shares = votes[name].reindex(range(3), fill_value=0.0)
        assert own.predicted["mean"][row] == mean.loc[name].to_numpy().argmax()
        assert own.fractions[row] == pytest.approx(shares.to_numpy())
        assert own.accuracy[row] == pytest.approx(shares[found.labels[row]])
        assert shares[own.predicted["vote"][row]] == shares.max()
    assert found.images.sum() == len(code)


def test_a_tied_vote_goes_to_the_higher_mean_probability() -> None:
    found = Patients.of(["a", "a"], np.array([1, 1]))
    probabilities = np.array([[[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]]])
    assert predict_patients(found, probabilities).predicted["vote"].tolist() == [1]
    assert predict_patients(found, probabilities[:, :, [1, 0, 2]]).predicted["vote"].tolist() == [0]


def test_patients_without_a_name_or_with_several_labels_are_apart() -> None:
    found = Patients.of(["b", "", "a", "b", "c", "c"], np.array([0, 1, 1, 0, 0, 1]))
    assert found.names == ["a", "b"]
    assert found.labels.tolist() == [1, 0]
    assert found.images.tolist() == [1, 2]
    assert found.rows.tolist() == [0, 2, 3]
    assert found.mixed == ["c"]


def test_scores_count_each_patient_once() -> None:
    names = ["a"] * 98 + ["b", "c"]  # the patient with many images is no better than the others
    labels = np.array([0] * 98 + [1, 1])
    probabilities = np.tile([0.9, 0.1], (1, 100, 1))
    probabilities[0, 99] = [0.2, 0.8]
    patients = Patients.of(names, labels)
    found = patient_scores(patients, predict_patients(patients, probabilities), ("x", "y"))
    assert found["accuracy_mean"] == pytest.approx(2 / 3)
    assert found["balanced_accuracy_mean"] == pytest.approx((1 + 0.5) / 2)
    expected = binomtest(2, 3).proportion_ci(method="exact")
    assert (found["accuracy_mean_low"], found["accuracy_mean_high"]) == pytest.approx((expected.low, expected.high))
    assert found["balanced_accuracy_mean_low"] < 0.5 < found["balanced_accuracy_mean_high"]
    assert (found["worst_patient"], found["worst_label"], found["worst_accuracy"]) == ("b", "y", 0)
    assert found["mean_accuracy"] == pytest.approx(2 / 3)
