"""From a fitted combination and its out-of-fold predictions to a bundle's manifest and files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError
from ..evaluation.refit import Refitted
from ..evaluation.statistics.shifts import Quantiles
from ..evaluation.task import Task
from ..serving.estimators import from_bytes
from ..serving.fitted_model import TOLERANCE
from ..serving.named_code import named
from ..serving.served_code import ServedCode
from ..serving.stored_estimators import Stored, store, to_bytes
from ..serving.training_facts import CALIBRATION, MEASUREMENTS, quantile_arrays
from .build_reference import build_reference
from .combination import FittedCombination
from .coverage import check_coverage
from .fit_shortcuts import FittedShortcut
from .fit_temperature import fit_temperature
from .manifest import Manifest
from .model_card import model_card
from .out_of_fold import OutOfFold
from .run_facts import RunFacts

_CHECKED = 16


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of.

    Attributes
    ----------
    combination : FittedCombination
    pattern : ndarray of float32, shape (features,)
        What the network gives for `ServedNetwork.pattern`.
    task : Task
        Of the training images.
    out_of_fold : OutOfFold
    shortcuts : sequence of FittedShortcut
    quantiles : Quantiles
        Of measurements of the training images.
    pictures : sequence of bytes
        JPEG of each training image, or nothing.
    facts : RunFacts
    """

    combination: FittedCombination
    pattern: NDArray[np.float32]
    task: Task
    out_of_fold: OutOfFold
    shortcuts: Sequence[FittedShortcut]
    quantiles: Quantiles
    pictures: Sequence[bytes]
    facts: RunFacts


def make_bundle(parts: Parts) -> tuple[Manifest, Mapping[str, bytes]]:
    """Manifest and files, for `leukobench.bundling.writing.write_bundle`.

    Raises
    ------
    BundleError
        A part cannot be stored without pickle.
    """
    combination = parts.combination.fitted
    stored = {name: store(getattr(combination, name), name) for name in ("selector", "classifier")}
    network = parts.combination.network
    modules = [*([network.code.module] if isinstance(network, ServedCode) else []), *_modules(stored)]
    code = named(modules)
    _check_stored(stored, parts)
    temperature = fit_temperature(parts.out_of_fold)
    calibrated = parts.out_of_fold.at_temperature(temperature.value)
    manifest = Manifest(
        run=parts.facts,
        tuned=parts.combination.fitted.tuned,
        agreement=parts.combination.agreement,
        extractor=parts.combination.origin,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        classes=parts.task.classes,
        network=parts.combination.network,
        temperature=temperature,
        coverage=check_coverage(calibrated),
        shortcuts=parts.shortcuts,
        pictures=bool(parts.pictures),
        code=code,
    )
    files = _files(parts, calibrated) | {f"{name}.skops": one.data for name, one in stored.items()}
    return manifest, files | {"model_card.md": model_card(manifest).encode("utf-8")}


def _files(parts: Parts, calibrated: OutOfFold) -> dict[str, bytes]:
    combination, task = parts.combination, parts.task
    files = combination.network.stored_files() | {"check.npz": _check(parts)}
    for shortcut in parts.shortcuts:
        stem = f"shortcut_{shortcut.name.replace(' ', '_')}_"
        files |= _estimators(stem, f"shortcut {shortcut.name}", shortcut.fitted)
    reference = build_reference(combination.features, combination.network.feature_names, task)
    files["reference.npz"] = _npz(**{field.name: getattr(reference, field.name) for field in fields(reference)})
    scores = calibrated.conformal_scores()
    files[CALIBRATION] = _npz(
        scores=scores.scores,
        labels=scores.labels,
        groups=scores.groups,
        folds=calibrated.folds,
        probabilities=calibrated.probabilities,
        image_ids=np.unique(task.image_ids),
    )
    files[MEASUREMENTS] = _npz(**quantile_arrays(parts.quantiles))
    if parts.pictures:
        by_id = dict(zip(task.image_ids, parts.pictures, strict=True))
        pictures = [by_id[image_id] for image_id in reference.image_ids]
        data = np.frombuffer(b"".join(pictures), dtype=np.uint8)
        files["pictures.npz"] = _npz(data=data, ends=np.cumsum([len(picture) for picture in pictures]))
    return files


def _check(parts: Parts) -> bytes:
    """Vectors of a few training images whose probabilities are computed again whenever the bundle is opened."""
    combination, task = parts.combination, parts.task
    rows = np.unique(np.linspace(0, len(task) - 1, _CHECKED).astype(np.int64))
    vectors = combination.features[rows]
    probabilities = combination.fitted.probabilities(vectors, len(task.classes))
    return _npz(vectors=vectors, probabilities=probabilities, pattern=parts.pattern)


def _estimators(stem: str, title: str, fitted: Refitted) -> dict[str, bytes]:
    return {
        f"{stem}selector.skops": to_bytes(fitted.selector, title),
        f"{stem}classifier.skops": to_bytes(fitted.classifier, title),
    }


def _modules(stored: Mapping[str, Stored]) -> frozenset[str]:
    return frozenset().union(*(one.modules for one in stored.values()))


def _check_stored(stored: Mapping[str, Stored], parts: Parts) -> None:
    """Refuse an estimator that says something else once it was stored: one of the user's own may keep it elsewhere."""
    modules = _modules(stored)
    if not modules:
        return
    vectors, classes = parts.combination.features[:_CHECKED], len(parts.task.classes)
    again = {name: from_bytes(one.data, name, modules) for name, one in stored.items()}
    try:
        received = Refitted(again["selector"], again["classifier"], {}).probabilities(vectors, classes)
        alike = np.allclose(received, parts.combination.fitted.probabilities(vectors, classes), rtol=0, atol=TOLERANCE)
        reason = "" if alike else "other probabilities"
    except Exception as error:  # code of the user's own
        reason = f"{type(error).__name__}: {error}"
    if reason:
        raise BundleError(
            f"What {', '.join(sorted(modules))} fitted cannot be stored in a bundle.",
            expected="the same probabilities after storing what the objects have as attributes",
            received=reason,
            fix="let `fit` keep everything as attributes: numbers, texts, arrays, and estimators of scikit-learn.",
        )


def _npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()
