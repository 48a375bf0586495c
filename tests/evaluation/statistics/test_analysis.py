from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from leukobench.errors import ConfigurationError
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.analysis import Analysis

CLASSES = ("a", "b", "c")
METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "auroc", "brier", "log_loss", "ece")
RATES = tuple(f"{rate}[{name}]" for rate in ("sensitivity", "specificity") for name in CLASSES)
OF_PATIENTS = ("patient_accuracy", "patient_balanced_accuracy", "patient_auroc")


class Study:
    """Images of 60 patients in two repeats of three folds, and predictions of any quality."""

    def __init__(self, seed: int = 0, n: int = 300, repeats: int = 2) -> None:
        rng = np.random.default_rng(seed)
        self.groups = np.sort(np.concatenate([np.arange(60), rng.integers(0, 60, n - 60)]))
        self.labels = self.groups % 3
        self.folds = np.stack([np.random.default_rng(r).permutation(60) % 3 for r in range(repeats)])[:, self.groups]
        self.patients = [f"p{group:02}" for group in self.groups]

    def probabilities(self, strength: float, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(*self.folds.shape, 3))
        scores[:, np.arange(len(self.labels)), self.labels] += strength
        odds = np.exp(scores)
        return odds / odds.sum(axis=2, keepdims=True)

    def analysis(self, rank_by: str = "balanced_accuracy", rows: np.ndarray | slice = slice(None)) -> Analysis:
        found = Analysis(
            self.labels[rows],
            CLASSES,
            self.groups[rows],
            self.folds[:, rows],
            rank_by,
            resamples=200,
            patients=np.asarray(self.patients)[rows].tolist(),
        )
        for seed, strength in enumerate((1.0, 2.0, 2.1, 0.2)):
            found.add(("net", f"s{seed}", "svm"), "combination", self.probabilities(strength, seed)[:, rows])
        found.add(("shortcut: colour", "none", "svm"), "shortcut", self.probabilities(1.5, 9)[:, rows])
        return found


@pytest.fixture(scope="module")
def study() -> Study:
    return Study()


@pytest.fixture(scope="module")
def tables(study: Study) -> dict[str, pd.DataFrame]:
    return study.analysis().tables()


def test_the_leaderboard_has_every_column(tables: dict[str, pd.DataFrame]) -> None:
    columns = set(tables["leaderboard"].columns)
    expected = {f"{metric}{end}" for metric in (*METRICS, *OF_PATIENTS, *RATES) for end in ("", "_low", "_high", "_sd")}
    expected |= {"extractor", "selector", "classifier", "kind", "rank_low", "rank_high", "in_best_set"}
    assert columns == expected


def test_values_are_pooled_over_folds_and_averaged_over_repeats(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    row = tables["leaderboard"].iloc[1]
    own = study.probabilities(2.0, 1)
    for name, metric in (("accuracy", accuracy_score), ("balanced_accuracy", balanced_accuracy_score)):
        assert row[name] == pytest.approx(np.mean([metric(study.labels, one.argmax(axis=1)) for one in own]))
    folds = [
        Scorer(CLASSES).score(study.labels[folds == fold], one[folds == fold])
        for one, folds in zip(own, study.folds, strict=True)
        for fold in range(3)
    ]
    assert row["auroc"] == pytest.approx(np.mean([fold["auroc"] for fold in folds]))
    for metric in ("auroc", "mcc", "f1_macro", "sensitivity[b]"):
        assert row[f"{metric}_sd"] == pytest.approx(np.std([fold[metric] for fold in folds], ddof=1))


def test_limits_surround_their_values(tables: dict[str, pd.DataFrame]) -> None:
    board = tables["leaderboard"]
    for metric in (*METRICS, *RATES):
        low, value, high = board[f"{metric}_low"], board[metric], board[f"{metric}_high"]
        assert (low <= value).all()
        assert (value <= high).all()
        assert (low < high).all()
        assert (high <= 1).all() or metric in ("brier", "log_loss")


def test_shortcuts_are_no_candidates(tables: dict[str, pd.DataFrame]) -> None:
    shortcut = tables["leaderboard"].iloc[-1]
    assert shortcut["kind"] == "shortcut"
    assert shortcut[["rank_low", "rank_high", "in_best_set"]].isna().all()
    assert len(tables["comparisons"]) == 3


def test_the_best_is_among_the_best_two(tables: dict[str, pd.DataFrame]) -> None:
    board = tables["leaderboard"].set_index("selector")
    assert board.loc[["s1", "s2"], "in_best_set"].tolist() == [True, True]
    assert board.loc[["s0", "s3"], "in_best_set"].tolist() == [False, False]
    assert board.loc[["s0", "s1", "s2", "s3"], "rank_low"].tolist() == [3, 1, 1, 4]
    assert board.loc[["s0", "s1", "s2", "s3"], "rank_high"].tolist() == [3, 2, 2, 4]
    compared = tables["comparisons"].set_index("selector")
    assert set(compared.columns) == {"extractor", "classifier", "difference", "low", "high"}  # two repeats
    assert compared.loc["s3", "high"] < -0.3
    values = board["balanced_accuracy"]
    assert compared.loc["s3", "difference"] == pytest.approx(values["s3"] - values[["s1", "s2"]].max())


def test_algorithms_are_compared_over_five_repeats() -> None:
    study = Study(repeats=5)
    compared = study.analysis().tables()["comparisons"].set_index("selector")
    own = [study.probabilities(strength, seed) for seed, strength in ((0, 1.0), (2, 2.1))]
    scores = [
        [
            balanced_accuracy_score(study.labels[folds == fold], one[folds == fold].argmax(axis=1))
            for one, folds in zip(many, study.folds, strict=True)
            for fold in range(3)
        ]
        for many in own
    ]
    gaps = np.subtract(*scores)
    t = gaps.mean() / np.sqrt(gaps.var(ddof=1) * (1 / 15 + 1 / 2))  # Nadeau and Bengio 2003
    assert compared.loc["s0", ["algorithms_difference", "algorithms_t"]].tolist() == pytest.approx([gaps.mean(), t])
    posterior = compared[["algorithms_p_worse", "algorithms_p_equivalent", "algorithms_p_better"]]
    assert posterior.sum(axis=1).to_numpy() == pytest.approx(1)
    assert (compared["algorithms_p_holm"] >= compared["algorithms_p"]).all()


def test_equals_are_ordered_by_saturation_log_loss_features_and_as_given(study: Study) -> None:
    """The winner, its correction and the order follow one rule."""
    analysis = Analysis(study.labels, CLASSES, study.groups, study.folds, "accuracy", resamples=50)
    right = np.eye(3)[study.labels][None].repeat(2, axis=0)
    for name, sure, features in (("z", 0.6, 5), ("y", 0.9, 9), ("x", 0.9, 7), ("w", 0.9, 7), ("v", 1, 7)):
        analysis.add(("net", name, "svm"), "combination", sure * right + (1 - sure) / 3, features)
    analysis.add(("net", "worse", "svm"), "combination", study.probabilities(1, 0), 1)
    assert [key[1] for key in analysis.order()] == ["x", "w", "y", "z", "v", "worse"]
    best = analysis.winner()
    assert best is not None
    assert (best["selector"], best["tied"], best["picked_among"], best["dropped"]) == ("x", 5, 6, 0)


def test_counts_are_those_of_the_predictions(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    predicted = study.probabilities(2.0, 1).argmax(axis=2).ravel()
    expected = pd.crosstab(np.tile(study.labels, 2), predicted)
    cells = tables["confusion"].query("selector == 's1'").pivot(index="label", columns="predicted", values="count")
    assert (cells.to_numpy() == expected.to_numpy()).all()
    one = tables["classes"].query("selector == 's1' and label == 'b'").iloc[0]
    assert one["images"] == (study.labels == 1).sum()
    assert (one["tp"], one["fn"] + one["tp"]) == (expected.loc[1, 1], 2 * one["images"])
    assert one["tp"] + one["fn"] + one["fp"] + one["tn"] == 2 * len(study.labels)
    assert one["precision"] == pytest.approx(expected.loc[1, 1] / expected[1].sum())
    areas = [
        roc_auc_score(study.labels[folds == fold] == 1, own[folds == fold, 1])
        for own, folds in zip(study.probabilities(2.0, 1), study.folds, strict=True)
        for fold in range(3)
    ]
    assert one["auroc"] == pytest.approx(np.mean(areas))
    assert 0 < one["sensitivity_at_95_specificity"] < 1


def test_reliability_adds_up(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    own = tables["reliability"].query("selector == 's1'")
    board = tables["leaderboard"].set_index("selector")
    assert own["count"].sum() == study.folds.size
    assert (own["count"] * own["accuracy"]).sum() / study.folds.size == pytest.approx(board.loc["s1", "accuracy"])
    assert ((own["confidence"] > own["bin"] / 15) & (own["confidence"] <= (own["bin"] + 1) / 15)).all()


def test_patients_have_a_row_each(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    own = tables["patients"].query("selector == 's1'")
    assert own["patient"].tolist() == sorted(set(study.patients))
    assert own["images"].sum() == len(study.labels)
    assert own[[f"fraction[{name}]" for name in CLASSES]].sum(axis=1).to_numpy() == pytest.approx(1)
    one = tables["patient_scores"].set_index("selector").loc["s1"]
    assert one["accuracy_mean"] == pytest.approx((own["predicted_mean"] == own["label"]).mean())
    assert one["worst_accuracy"] == own["accuracy"].min()


def test_the_order_of_images_and_of_combinations_makes_no_difference(study: Study) -> None:
    rows = np.random.default_rng(1).permutation(len(study.labels))
    first, second = study.analysis(), study.analysis(rows=rows)
    second._entries = dict(reversed(second._entries.items()))
    for name, table in first.tables().items():
        pd.testing.assert_frame_equal(table, second.tables()[name], check_exact=False, rtol=1e-10)
    assert first.winner() == pytest.approx(second.winner())


@pytest.mark.parametrize("rank_by", ["balanced_accuracy", "auroc", "mcc"])
def test_the_winner_is_the_best_and_its_corrected_number_is_lower(study: Study, rank_by: str) -> None:
    analysis = study.analysis(rank_by)
    board = analysis.tables()["leaderboard"]
    best = board[board["kind"] == "combination"].sort_values(rank_by).iloc[-1]
    found = analysis.winner()
    assert found is not None
    assert (found["selector"], found["value"]) == (best["selector"], best[rank_by])
    assert (found["low"], found["high"]) == (best[f"{rank_by}_low"], best[f"{rank_by}_high"])
    assert found["corrected_low"] < found["corrected"] <= found["value"] + 0.01
    assert found["corrected"] - found["corrected_low"] >= found["value"] - found["low"] - 1e-12
    assert found["picked_among"] == 4
    assert 0.5 < found["rank_agreement"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("rank_by", "chance"), [("balanced_accuracy", 1 / 3), ("auroc", 0.5)])
def test_the_best_of_forty_guesses_is_corrected_to_chance(rank_by: str, chance: float) -> None:
    best, honest = [], []
    for seed in range(4):
        study = Study(seed, repeats=1)
        analysis = Analysis(study.labels, CLASSES, study.groups, study.folds, rank_by, seed, resamples=100)
        for guess in range(40):
            analysis.add(("net", f"s{guess}", "svm"), "combination", study.probabilities(0, 100 * seed + guess))
        found = analysis.winner()
        assert found is not None
        assert found["corrected_low"] < chance < found["corrected_high"]
        best.append(found["value"])
        honest.append(found["corrected"])
    assert np.mean(best) > chance + 0.04
    assert np.mean(honest) == pytest.approx(chance, abs=0.015)


def test_against_a_shortcut(study: Study) -> None:
    analysis = study.analysis()
    board = analysis.tables()["leaderboard"].set_index("selector")["balanced_accuracy"]
    gap, low, high = analysis.against(("shortcut: colour", "none", "svm"))
    assert gap == pytest.approx(board[["s1", "s2"]].max() - board["none"])
    assert 0 < low < gap < high
    with pytest.raises(KeyError):
        analysis.against(("no", "such", "shortcut"))


def test_a_perfect_combination_has_an_interval_all_the_same(study: Study) -> None:
    analysis = Analysis(study.labels, CLASSES, study.groups, study.folds, "accuracy", resamples=100)
    perfect = np.tile(0.9 * np.eye(3)[study.labels] + 0.1 / 3, (2, 1, 1))
    analysis.add(("net", "none", "svm"), "combination", perfect)
    row = analysis.tables()["leaderboard"].iloc[0]
    found = analysis.winner()
    assert found is not None
    assert found["corrected"] == 1
    assert found["corrected_low"] < 0.95  # 60 groups
    for metric in ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "auroc", "sensitivity[a]"):
        assert row[f"{metric}_low"] < row[metric] == row[f"{metric}_high"] == 1


def test_nothing_but_shortcuts_has_no_winner(study: Study) -> None:
    analysis = Analysis(study.labels, CLASSES, study.groups, study.folds, "accuracy", resamples=50)
    assert analysis.winner() is None
    assert {len(table) for table in analysis.tables().values()} == {0}
    analysis.add(("shortcut: colour", "none", "svm"), "shortcut", study.probabilities(1, 0))
    assert analysis.winner() is None
    assert len(analysis.tables()["leaderboard"]) == 1
    assert len(analysis.tables()["comparisons"]) == 0
    with pytest.raises(KeyError):
        analysis.against(("shortcut: colour", "none", "svm"))


def test_a_class_in_one_group_leaves_numbers_undefined_not_wrong(study: Study) -> None:
    labels = np.where(study.groups == 2, 2, study.groups % 2)
    analysis = Analysis(labels, CLASSES, study.groups, study.folds[:1], "balanced_accuracy", resamples=200)
    analysis.add(("net", "none", "svm"), "combination", study.probabilities(2, 0)[:1])
    row, found = analysis.tables()["leaderboard"].iloc[0], analysis.winner()
    assert row["balanced_accuracy_low"] < row["balanced_accuracy"] < row["balanced_accuracy_high"]
    assert found is not None
    assert np.isfinite(found["corrected"])  # in the resamples that left the group out, the class is on the other side
    assert np.isnan(found["rank_agreement"])


def test_predictions_of_another_shape_are_refused(study: Study) -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 300, 3\) instead of \(2, 300, 3\)"):
        study.analysis().add(("a", "b", "c"), "combination", study.probabilities(1, 0)[:1])


def test_what_cannot_rank_is_refused(study: Study) -> None:
    with pytest.raises(ConfigurationError, match="ranked"):
        study.analysis("log_loss")
