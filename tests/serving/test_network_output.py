from __future__ import annotations

import numpy as np
import pytest

from leukobench.bundling.build_reference import build_reference
from leukobench.evaluation.task import Task
from leukobench.serving.estimators import from_bytes
from leukobench.serving.network_output import NetworkOutput, output_names
from leukobench.serving.stored_estimators import to_bytes


def columns(classes: int, seed: int = 0) -> np.ndarray:
    """Three features, and what two or more outputs, or one, would say."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), 60) if classes > 2 else rng.uniform(size=(60, 1))
    return np.hstack([rng.normal(size=(60, 3)), probabilities])


@pytest.mark.parametrize("classes", [2, 4])
def test_the_last_columns_are_the_probabilities(classes: int) -> None:
    outputs = columns(classes)
    classifier = NetworkOutput(outputs.shape[1] - 3).fit(None, np.arange(classes))
    probabilities = classifier.predict_proba(outputs)
    assert probabilities.shape == (60, classes)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities[:, 1] == outputs[:, 3 if classes == 2 else 4]).all()
    assert (classifier.predict(outputs) == probabilities.argmax(axis=1)).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("classes", [2, 4])
def test_calibrated_ones_are_stored_without_pickle(method: str, classes: int) -> None:
    from sklearn.calibration import CalibratedClassifierCV

    outputs, labels = columns(classes), np.arange(60) % classes
    plain = NetworkOutput(outputs.shape[1] - 3)
    fitted = CalibratedClassifierCV(plain, method=method, cv=3, ensemble=False).fit(outputs, labels)
    expected = fitted.predict_proba(outputs)
    again = from_bytes(to_bytes(fitted, "classifier"), "classifier")
    assert (again.predict_proba(outputs) == expected).all()
    assert not np.allclose(expected, plain.fit(outputs, labels).predict_proba(outputs), atol=1e-3)


def test_probabilities_have_no_part_in_distances() -> None:
    outputs, labels = columns(4).astype(np.float32), np.arange(60) % 4
    task = Task.of([f"{k:02d}" for k in range(60)], labels, range(60))
    whole = build_reference(outputs, output_names(3, 4), task)
    features = build_reference(outputs[:, :3], output_names(3, 0), task)
    assert whole.distances == pytest.approx(features.distances)
    others = outputs.copy()
    others[:, 3:] = 0.25
    assert (whole.scores(others)[0] == whole.scores(outputs)[0]).all()
