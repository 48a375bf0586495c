"""Facts that give the class away are named, and chance is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leukobench.audit.predictions import pair_accuracies, predictions


def left_out(bins: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """Balanced accuracies of the pairs, row by row."""
    wins = np.zeros((classes, classes))
    for row, (place, own) in enumerate(zip(bins, codes, strict=True)):
        rest = np.arange(len(codes)) != row
        shares = [
            ((bins == place) & rest & (codes == k)).sum() / max(1, ((codes == k) & rest).sum()) for k in range(classes)
        ]
        wins[own] += [(shares[own] > share) + (shares[own] == share) / 2 for share in shares]
    wins /= np.bincount(codes)[:, None]
    return (wins + wins.T) / 2


def test_accuracies_are_those_of_leaving_each_row_out() -> None:
    rng = np.random.default_rng(0)
    codes, bins = rng.integers(0, 3, 60), rng.integers(0, 5, 60)
    table = np.array([[((bins == b) & (codes == k)).sum() for k in range(3)] for b in range(5)])
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(pair_accuracies(table)[off], left_out(bins, codes, 3)[off])


@pytest.mark.parametrize(
    ("name", "one", "two", "subject"),
    [
        ("width", [224.0] * 20, [512.0] * 20, "image size"),
        ("height", list(range(20)), [*range(-20, -10), *range(30, 40)], "image size"),  # on both sides: no trend
        ("format", ["PNG"] * 20, ["JPEG"] * 19 + ["PNG"], "file format"),
        ("taken", pd.date_range("2019-01-01", periods=20), pd.date_range("2021-01-01", periods=20), "date"),
        ("taken", [pd.NaT] * 20, pd.date_range("2021-01-01", periods=20), "date"),
        ("maker", [""] * 20, ["Optics"] * 20, "camera"),
    ],
)
def test_what_gives_the_class_away_is_named(name: str, one: list[object], two: list[object], subject: str) -> None:
    labels = np.repeat(["leukaemia", "normal"], 20)
    (named,) = predictions(pd.DataFrame({name: [*one, *two], "mode": "RGB"}), labels)
    assert (named.subject, named.facts()) == (subject, {name})
    assert named.accuracies["leukaemia", "normal"][0] > 0.9


def test_few_images_of_few_sizes_have_no_need_of_a_trend() -> None:
    labels = np.repeat(["leukaemia", "normal"], 14)
    (named,) = predictions(pd.DataFrame({"height": [*[70, 90] * 7, *[80] * 14]}), labels)
    assert named.accuracies["leukaemia", "normal"] == (1.0, "height")


def test_only_the_pairs_that_differ_are_named() -> None:
    labels = np.repeat(["a", "b", "c"], 20)
    widths = [*[100.0, 200.0] * 20, *[300.0] * 20]
    (named,) = predictions(pd.DataFrame({"width": widths}), labels)
    assert set(named.accuracies) == {("a", "c"), ("b", "c")}


def test_one_patient_a_class_says_nothing_however_many_images_there_are() -> None:
    labels, groups = np.repeat(["a", "b"], 200), np.repeat([0, 1], 200)
    facts = pd.DataFrame({"width": np.repeat([100.0, 200.0], 200), "format": np.repeat(["PNG", "JPEG"], 200)})
    assert predictions(facts, labels, groups) == []
    assert len(predictions(facts, labels, np.arange(400))) == 2


@pytest.mark.parametrize(("classes", "each", "repeats"), [(2, 6, 60), (2, 30, 60), (8, 8, 20)])
def test_chance_is_not_named(classes: int, each: int, repeats: int) -> None:
    """Numbers that seldom and often come twice, texts, rare texts, dates; the record has the same at full length."""
    rng, count = np.random.default_rng(90210), classes * each
    labels = np.repeat([f"c{k}" for k in range(classes)], each)
    named = 0
    for _ in range(repeats):
        facts = pd.DataFrame(
            {
                "width": rng.choice([224.0, 225.0, 300.0, 512.0], count),
                "height": rng.normal(size=count).round(1),
                "bytes": rng.normal(size=count),
                "format": rng.choice(["PNG", "JPEG"], count),
                "software": [f"version {k}" for k in rng.integers(0, count, count)],
                "taken": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, count), unit="D"),
            }
        )
        named += len(predictions(facts, labels))
    assert named == 0
