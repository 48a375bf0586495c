from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.errors import ExtractionError
from leukobench.serving.bundle import Bundle, load


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return load(tiny_bundle, threads=2)


@pytest.fixture(scope="module")
def paths(smears: Path) -> list[Path]:
    return sorted(smears.rglob("*.jpg"))[:3]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda vectors: vectors[:-1], "fewer"),
        (lambda vectors: [*vectors, vectors[0]], "more"),
        (lambda vectors: [vectors[0], np.nan * vectors[1], *vectors[2:]], "NaN"),
    ],
)
def test_no_prediction_is_missing_or_of_no_numbers(
    wrong: Any, words: str, bundle: Bundle, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bundle._model.vectors
    monkeypatch.setattr(bundle._model, "vectors", lambda pixels: iter(wrong(list(right(pixels)))))
    with pytest.raises(ExtractionError, match=words):
        bundle.predict(paths)


def test_features_too_large_for_a_distance_are_unlike_the_training_data(
    bundle: Bundle, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bundle._model.vectors
    monkeypatch.setattr(bundle._model, "vectors", lambda pixels: (1e25 * vector for vector in right(pixels)))
    predictions = bundle.predict(paths)
    assert all(row.ood and np.isnan(row.ood_score) for row in predictions)
    assert "UNLIKE THE TRAINING DATA" in repr(predictions)
