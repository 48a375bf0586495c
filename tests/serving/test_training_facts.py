"""What a bundle keeps of its training images; older bundles keep less, and damaged ones are refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.bundling.measured_quantiles import measured_quantiles, part_of
from leukobench.evaluation.task import Task
from leukobench.serving.container import Contents, read_bundle
from leukobench.serving.training_facts import CALIBRATION, MEASUREMENTS, TrainingFacts, quantile_arrays

NAMES = ["file.bytes", "file.width", "colour.mean.r", "sharpness.bend", "fingerprint.0000"]


def stored(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def contents(**changed: Any) -> Contents:
    rng = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1], 20), np.arange(40) // 2
    task = Task.of([f"{i:02d}" for i in range(40)], labels.astype(str).tolist(), groups.tolist())
    quantiles = measured_quantiles(rng.normal(size=(40, 5)).astype(np.float32), NAMES, task)
    calibration = {
        "scores": np.full(40, 0.5), "labels": labels, "groups": groups, "image_ids": task.image_ids,
        "folds": groups % 4, "probabilities": np.full((40, 2), 0.5),
    } | changed  # fmt: skip
    files = {CALIBRATION: stored(**calibration), MEASUREMENTS: stored(**quantile_arrays(quantiles))}
    return Contents({"classes": ["a", "b"]}, files, "")


def test_they_are_as_they_were_written() -> None:
    facts = TrainingFacts.of(contents())
    assert facts.probabilities is not None
    assert facts.probabilities.shape == (40, 2)
    assert facts.quantiles is not None
    assert facts.quantiles.names == ("file.width", "colour.mean.r", "sharpness.bend")  # of no single image
    assert [part_of(name) for name in facts.quantiles.names] == ["size", "colour", "sharpness"]
    assert facts.quantiles.groups.tolist() == [10, 10]
    assert len(facts.image_ids) == 40


@pytest.mark.parametrize("changed", [{"probabilities": np.full((39, 2), 0.5)}, {"folds": np.zeros(3, dtype=int)}])
def test_what_does_not_fit_together_is_refused(changed: Any) -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        TrainingFacts.of(contents(**changed))


def test_an_older_bundle_keeps_less() -> None:
    facts = TrainingFacts.of(read_bundle(Path(__file__).with_name("bundle-format-1.zip")))
    assert facts.probabilities is None
    assert facts.quantiles is None
    assert len(facts.image_ids) > 0
