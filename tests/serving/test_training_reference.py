from __future__ import annotations

import io
from dataclasses import fields

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from leukobench.bundling import build_reference as building
from leukobench.bundling.build_reference import build_reference
from leukobench.evaluation.task import Task
from leukobench.serving.training_reference import TrainingReference

NAMES = [*(f"stage1_mean_{k:04d}" for k in range(30)), *(f"stage2_mean_{k:04d}" for k in range(50))]


def drawn(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.hstack([rng.normal(5, 0.01, (n, 30)), rng.normal(0, 10, (n, 50))]).astype(np.float32)


def built(n: int = 300, groups: np.ndarray | None = None) -> tuple[TrainingReference, np.ndarray]:
    features = drawn(n)
    task = Task.of([f"{k:05d}" for k in range(n)], np.arange(n) % 3, np.arange(n) if groups is None else groups)
    return build_reference(features, NAMES, task), features


def independent(features: np.ndarray) -> np.ndarray:
    """Each stage centred and scaled to total variance 1."""
    parts = [features[:, :30], features[:, 30:]]
    return np.hstack([(p - parts_mean(p)) / np.sqrt(p.astype(float).var(axis=0).sum()) for p in parts])


def parts_mean(part: np.ndarray) -> np.ndarray:
    return part.astype(float).mean(axis=0)


def test_distances_are_those_of_scikit_learn_and_leave_out_the_own_group() -> None:
    groups = np.arange(300) // 3
    reference, features = built(groups=groups)
    space = independent(features)
    apart, rows = NearestNeighbors(n_neighbors=20).fit(space).kneighbors(space)
    others = [d[groups[r] != groups[k]][4] for k, (d, r) in enumerate(zip(apart, rows, strict=True))]
    assert reference.distances == pytest.approx(np.sort(others), rel=2e-3)


def test_new_images_like_the_training_data_are_flagged_about_once_in_a_hundred() -> None:
    reference, _ = built(2000)
    scores, shares = reference.scores(drawn(4000, seed=1))
    assert 0.004 < reference.rare(shares).mean() < 0.02
    assert np.median(scores) == pytest.approx(1, abs=0.05)
    assert shares.min() > 0
    assert shares.max() <= 1
    assert np.sort(shares)[2000] == pytest.approx(0.5, abs=0.05)


def test_far_images_are_flagged_in_whichever_stage_they_differ() -> None:
    """The first stage varies a thousand times less than the second, and is heard all the same."""
    reference, _ = built()
    other = drawn(40, seed=2)
    other[:20, :30] += 0.05
    other[20:, 30:] += 50
    assert reference.rare(reference.scores(other)[1]).all()


def test_the_nearest_are_the_nearest() -> None:
    reference, features = built()
    rows, distances = reference.nearest(features[17], 5)
    assert rows[0] == 17
    expected = NearestNeighbors(n_neighbors=5).fit(independent(features)).kneighbors(independent(features)[17:18])[1][0]
    assert set(rows) == set(expected)
    assert np.all(np.diff(distances) >= 0)


def test_it_is_the_same_after_storing() -> None:
    reference, features = built()
    stream = io.BytesIO()
    np.savez(stream, **{field.name: getattr(reference, field.name) for field in fields(reference)})
    again = TrainingReference.from_bytes(stream.getvalue())
    assert np.array_equal(again.scores(features)[0], reference.scores(features)[0])
    assert again.image_ids.tolist() == reference.image_ids.tolist()


@pytest.mark.parametrize(
    ("name", "value"), [("vectors", np.nan), ("centre", np.inf), ("weight", np.nan), ("labels", -1), ("distances", 0)]
)
def test_a_reference_with_a_wild_number_is_refused(name: str, value: float) -> None:
    parts = {field.name: np.array(getattr(built()[0], field.name)) for field in fields(TrainingReference)}
    parts[name][-1] = value
    np.savez(stream := io.BytesIO(), **parts)
    with pytest.raises(ValueError, match="does not fit together"):
        TrainingReference.from_bytes(stream.getvalue())


def test_of_very_many_images_a_sample_is_kept_of_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MOST_IMAGES", 500)
    reference, _ = built(3000)
    assert reference.vectors.shape == (500, 80)
    assert np.bincount(reference.labels).min() > 160
    assert len(reference.distances) == 3000
    assert reference.rare(reference.scores(drawn(3000, seed=4))[1]).mean() < 0.02


def test_few_images_flag_only_what_is_further_than_all_of_them() -> None:
    reference, features = built(20)
    _, shares = reference.scores(np.vstack([features, features + 100]))
    assert not reference.rare(shares[:20]).any()
    assert reference.rare(shares[20:]).all()


def test_constant_features_and_few_groups_are_no_trouble() -> None:
    features = np.zeros((6, 80), dtype=np.float32)
    features[:, 0] = np.arange(6)
    task = Task.of(list("abcdef"), ["a"] * 6, [0, 0, 0, 0, 1, 1])
    reference = build_reference(features, NAMES, task)
    scores, shares = reference.scores(features)
    assert np.isfinite(scores).all()
    assert np.isfinite(shares).all()


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e30, 3e38])
def test_an_image_whose_distance_cannot_be_computed_is_never_like_the_training_data(wild: float) -> None:
    reference, features = built()
    features = features.copy()
    features[1, 7] = wild
    scores, shares = reference.scores(features[:3])
    assert np.isnan(scores).tolist() == [False, True, False]
    assert reference.rare(shares).tolist() == [False, True, False]
    assert reference.likely_copies(features[:3])[0].tolist() == [0, -1, 2]
