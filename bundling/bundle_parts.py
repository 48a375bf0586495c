"""Making a bundle: from a fitted combination and its out-of-fold predictions to a manifest and files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..serving.conformal import LEVELS, Calibration, coverage
from ..serving.estimators import to_bytes
from ..serving.reference import Reference
from ..serving.served_network import ServedNetwork
from ..serving.temperature import fit_temperature, tempered
from .model_card import model_card

_CHECKED = 16


@dataclass(frozen=True)
class OutOfFold:
    """What the combination said of every image when it was not trained on.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n, classes)
    labels, groups, folds : ndarray of int, shape (n,)
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of.

    Attributes
    ----------
    network : ServedNetwork
    pattern : ndarray of float32, shape (features,)
        What the network makes of `ServedNetwork.pattern`.
    features : ndarray of float32, shape (n, features)
        Of the training images.
    labels, groups : ndarray of int, shape (n,)
    image_ids : sequence of str
    classes : sequence of str
    selector, classifier : fitted estimators
    raw : ndarray of float64, shape (k, classes)
        Probabilities of the training images that `checked_rows` names.
    out_of_fold : OutOfFold
    shortcuts : mapping of str to (str, list of str, selector, classifier)
        Name -> prefix of its columns of the measurements, their names, and what was fitted to them.
    pictures : sequence of bytes
        JPEG of each training image, or nothing.
    facts : mapping
        What else the manifest says, JSON-like.
    """

    network: ServedNetwork
    pattern: NDArray[np.float32]
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    image_ids: Sequence[str]
    classes: Sequence[str]
    selector: Any
    classifier: Any
    raw: NDArray[np.float64]
    out_of_fold: OutOfFold
    shortcuts: Mapping[str, tuple[str, list[str], Any, Any]]
    pictures: Sequence[bytes]
    facts: Mapping[str, Any]


def checked_rows(images: int) -> NDArray[np.int64]:
    """Training images whose probabilities are computed again whenever the bundle is opened."""
    return np.unique(np.linspace(0, images - 1, _CHECKED).astype(np.int64))


def make(parts: Parts) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and files, for `leukobench.serving.container.write_bundle`.

    Raises
    ------
    BundleError
        A part cannot be stored without pickle.
    """
    seen = parts.out_of_fold
    temperature = fit_temperature(seen.probabilities, seen.labels, seen.groups, seen.folds)
    own = tempered(seen.probabilities, temperature.value)
    manifest: dict[str, Any] = {
        **parts.facts,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "classes": list(parts.classes),
        "network": parts.network.to_mapping(),
        "temperature": temperature.to_mapping(),
        "coverage": coverage(own, seen.labels, seen.groups, seen.folds, LEVELS),
        "shortcuts": {
            name: {"prefix": prefix, "names": names} for name, (prefix, names, *_) in parts.shortcuts.items()
        },
        "pictures": bool(parts.pictures),
    }
    files = _files(parts, own)
    files["model_card.md"] = model_card(manifest).encode("utf-8")
    return manifest, files


def _files(parts: Parts, own: NDArray[np.float64]) -> dict[str, bytes]:
    xml, weights = parts.network.files.files()
    rows, seen = checked_rows(len(parts.labels)), parts.out_of_fold
    calibration = Calibration.of(own, seen.labels, seen.groups)
    reference = Reference.of(
        parts.features, parts.network.files.feature_names, parts.labels, parts.groups, parts.image_ids
    )
    files = {
        "network.xml": xml,
        "network.bin": weights,
        "selector.skops": to_bytes(parts.selector, "selector"),
        "classifier.skops": to_bytes(parts.classifier, "classifier"),
        "reference.npz": reference.to_bytes(),
        "calibration.npz": _npz(
            scores=calibration.scores,
            labels=calibration.labels,
            groups=calibration.groups,
            image_ids=np.unique(np.asarray(parts.image_ids)),
        ),
        "check.npz": _npz(vectors=parts.features[rows], probabilities=parts.raw, pattern=parts.pattern),
    }
    for name, (_, _, selector, classifier) in parts.shortcuts.items():
        stem = f"shortcut_{name.replace(' ', '_')}"
        files[f"{stem}_selector.skops"] = to_bytes(selector, f"shortcut {name}")
        files[f"{stem}_classifier.skops"] = to_bytes(classifier, f"shortcut {name}")
    if parts.pictures:
        kept = dict(zip(parts.image_ids, parts.pictures, strict=True))
        shown = [kept[name] for name in reference.image_ids]
        data = np.frombuffer(b"".join(shown), dtype=np.uint8)
        files["pictures.npz"] = _npz(data=data, ends=np.cumsum([len(one) for one in shown]))
    return files


def _npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()
