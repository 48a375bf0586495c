"""Training: stops, goes on after a kill, halves its batch, and says when the loss is no number."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from leukobench.classifiers.cnns.dense_head import DenseHead
from leukobench.errors import TrainingError

X, Y = make_blobs(200, 6, centers=3, cluster_std=4.0, random_state=0)
GROUPS = np.arange(200) // 4


def head(**parameters: Any) -> DenseHead:
    return DenseHead(**{"epochs": 6, "hidden": 8, "random_state": 0, "learning_rate": 0.01, **parameters})


def without_times(curve: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in curve]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_and_another_gives_others() -> None:
    first, second, other = (head(random_state=seed).fit(X, Y, GROUPS) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert without_times(first.curve_) == without_times(second.curve_)
    assert np.abs(first.predict_proba(X) - other.predict_proba(X)).max() > 1e-3


@pytest.mark.slow
def test_permuted_labels_names_do_not_change_the_numbers() -> None:
    names = np.array(["Pro", "Benign", "Early"])
    order = np.argsort(names)
    renamed = head().fit(X, names[order][Y], GROUPS)
    np.testing.assert_array_equal(renamed.predict_proba(X), head().fit(X, Y, GROUPS).predict_proba(X))
    assert renamed.classes_.tolist() == sorted(names)


def test_it_stops_early_and_keeps_the_best_weights() -> None:
    fitted = head(epochs=60, patience=3, learning_rate=0.05, dropout=0.0).fit(X, Y, GROUPS)
    losses = [epoch["validation_loss"] for epoch in fitted.curve_]
    assert len(losses) < 60
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    shorter = head(epochs=60, patience=3, learning_rate=0.05, dropout=0.0)
    held = fitted_validation(shorter)
    sure = np.clip(fitted.predict_proba(X[held])[np.arange(len(held)), Y[held]], 1e-7, 1)
    assert -np.log(sure).mean() == pytest.approx(min(losses), abs=1e-5)


def fitted_validation(estimator: DenseHead) -> np.ndarray:
    from leukobench.classifiers.cnns.inputs import inner_split

    return inner_split(Y.astype(np.int64), GROUPS, estimator.validation, 0)[1]


def test_without_a_validation_part_all_epochs_are_trained() -> None:
    fitted = head(validation=0.0, patience=1).fit(X, Y)
    assert fitted.n_iter_ == 6
    assert np.isnan(fitted.curve_[0]["validation_loss"])
    assert fitted.curve_[0]["images"] == 7 * 28


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [3, *(pytest.param(epochs, marks=pytest.mark.slow) for epochs in (1, 5))])
def test_a_killed_training_goes_on_to_the_same_end(after: int, tmp_path: Path) -> None:
    def kill(report: Any) -> None:
        if report["epoch"] > after:
            raise _Killed

    whole = head(dropout=0.5).fit(X, Y, GROUPS)
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(_Killed):
        head(dropout=0.5).fit(X, Y, GROUPS, checkpoint=path, report=kill)
    seen: list[int] = []
    resumed = head(dropout=0.5)
    resumed.fit(X, Y, GROUPS, checkpoint=path, report=lambda facts: seen.append(facts["epoch"]))
    assert min(seen) == after + 1
    assert without_times(resumed.curve_) == without_times(whole.curve_)
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))
    assert resumed.seconds_before_ == pytest.approx(sum(epoch["seconds"] for epoch in resumed.curve_[:after]))


@pytest.fixture(autouse=True)
def _always_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukobench.classifiers.cnns.training._REPORT_S", 0.0)


@pytest.mark.slow
def test_a_checkpoint_of_another_training_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    head(random_state=1).fit(X, Y, GROUPS, checkpoint=path)
    head().fit(X + 1, Y, GROUPS, checkpoint=path)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    np.testing.assert_array_equal(
        head().fit(X, Y, GROUPS, checkpoint=path).predict_proba(X), head().fit(X, Y, GROUPS).predict_proba(X)
    )


@pytest.mark.slow
def test_a_damaged_checkpoint_is_said_and_trained_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "checkpoint.npz"
    first = head().fit(X, Y, GROUPS, checkpoint=path)
    (written,) = tmp_path.glob("checkpoint.*.npz")
    data = written.read_bytes()
    written.write_bytes(data[: len(data) // 2])
    with caplog.at_level(logging.WARNING):
        second = head().fit(X, Y, GROUPS, checkpoint=path)
    assert f"{written.name} is damaged" in caplog.text
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_memory_that_runs_out_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    train, predict = keras.Model.train_on_batch, keras.Model.predict_on_batch

    def tight(whole: Any) -> Any:
        def call(self: Any, x: Any, *rest: Any, **named: Any) -> Any:
            if len(x) > 8:
                raise RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating tensor")
            return whole(self, x, *rest, **named)

        return call

    monkeypatch.setattr(keras.Model, "train_on_batch", tight(train))
    monkeypatch.setattr(keras.Model, "predict_on_batch", tight(predict))
    fitted = head(epochs=2).fit(X, Y, GROUPS)
    probabilities = fitted.predict_proba(X)
    assert {epoch["batch_size"] for epoch in fitted.curve_} == {8}
    monkeypatch.undo()
    np.testing.assert_allclose(
        probabilities, head(epochs=2, batch_size=8).fit(X, Y, GROUPS).predict_proba(X), atol=1e-6
    )


def test_other_errors_do_not_halve_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(keras.Model, "train_on_batch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        head().fit(X, Y)


def test_a_loss_that_is_no_number_says_what_to_do() -> None:
    with pytest.raises(TrainingError, match=r"(?s)loss became (nan|inf) in epoch 1.*lower learning_rate"):
        head(dropout=0.0).fit(np.full_like(X, 3e38), Y)


@pytest.mark.slow
def test_threads_that_prepare_batches_change_nothing() -> None:
    one, four = (head(n_jobs=jobs).fit(X, Y, GROUPS) for jobs in (1, 4))
    np.testing.assert_allclose(one.predict_proba(X), four.predict_proba(X), atol=1e-6)


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    train, seen = keras.Model.train_on_batch, []

    def recorded(self: Any, *rest: Any, **named: Any) -> Any:
        seen.append(float(np.asarray(train(self, *rest, **named))))
        return seen[-1]

    monkeypatch.setattr(keras.Model, "train_on_batch", recorded)
    fitted = head(epochs=2).fit(X, Y, GROUPS)
    half = len(seen) // 2
    assert [epoch["loss"] for epoch in fitted.curve_] == pytest.approx([np.mean(seen[:half]), np.mean(seen[half:])])


@pytest.mark.parametrize("wrong", [{"nonsense": 2.0}, {0: -1.0}, {0: 0.0, 1: 0.0, 2: 0.0}])
def test_class_weights_that_cannot_be_are_refused(wrong: dict[Any, float]) -> None:
    with pytest.raises(ValueError, match=r"class_weight needs numbers of at least 0 for \[0, 1, 2\]"):
        head(class_weight=wrong).fit(X, Y)


@pytest.mark.slow
def test_class_weights_move_the_decision() -> None:
    rare = np.concatenate([np.flatnonzero(Y != 0), np.flatnonzero(Y == 0)[:8]])
    shares = [
        (head(class_weight=weight, epochs=20).fit(X[rare], Y[rare]).predict(X[Y == 0]) == 0).mean()
        for weight in (None, "balanced", {0: 1000.0})
    ]
    assert shares[0] < shares[1] <= shares[2]


def test_a_class_of_one_patient_is_trained_on_without_early_stopping() -> None:
    labels = np.repeat([0, 1], 20)
    with pytest.warns(UserWarning, match="without early stopping"):
        fitted = head(epochs=2).fit(X[:40], labels, np.repeat([0, 1], 20))
    assert np.isnan(fitted.curve_[0]["validation_loss"])


def test_groups_never_stand_on_both_sides_of_the_inner_split() -> None:
    from leukobench.classifiers.cnns.inputs import inner_split

    train, held = inner_split(Y.astype(np.int64), GROUPS, 0.15, 0)
    assert not set(GROUPS[train]) & set(GROUPS[held])
    assert 0.1 < len(held) / 200 < 0.2
    assert set(train) | set(held) == set(range(200))
