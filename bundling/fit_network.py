"""Training a network end to end on all images of a run, and bringing it into the bundle's form."""

from __future__ import annotations

import hashlib
import logging
import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..classifiers.cnns import CNNS
from ..config.experiment import Experiment
from ..errors import BundleError, ImagesChangedError, TrainingError
from ..evaluation.folds import Fold, InnerFolds
from ..evaluation.methods import FitRules, Method, estimator_factory, fit_arguments
from ..evaluation.network_runner import DIED, Rows, follow, fresh_process, reporter, rows_beside
from ..evaluation.refit import Refitted
from ..evaluation.task import Task
from ..evaluation.validation import with_validation
from ..images.identification import image_id_of
from ..images.reading import reading_threads
from ..machine import Progress
from ..networks.frameworks import can_convert, load_openvino
from ..networks.openvino_ir import Converted
from ..runs.workspace import Workspace
from ..selection.none import NoSelection
from ..serving.network_output import NetworkOutput, output_names
from ..serving.served_network import ServedNetwork
from ..steps.choose_methods import fit_rules, make_networks, weights_in_words
from ..steps.write_pixels import input_of, pixels_for
from .combination import Agreement, FittedCombination, Origin
from .export_network import append_features, export_network

if TYPE_CHECKING:
    import pandas as pd

_TOLERANCE = 1e-4
_COMPARED = 16
_log = logging.getLogger(__name__)


def choose_network(experiment: Experiment, label: str) -> Method:
    """The network of a run with this label, unfitted.

    Raises
    ------
    BundleError
        It is code of the user's own, or Keras cannot convert networks here.
    EngineError
        OpenVINO is absent.
    """
    choice = next(choice for choice in experiment.cnns if choice.label == label)
    if not CNNS.ships(choice.name):
        raise BundleError(
            f"The network {label} is your own code, which a bundle cannot contain.",
            expected=f"one of {', '.join(CNNS.names())}",
            received=label,
            fix="choose another combination of the leaderboard: `--combination EXTRACTOR SELECTOR CLASSIFIER`.",
        )
    if not can_convert():
        raise BundleError(
            f"{label} cannot be converted for OpenVINO here.",
            expected="Keras on TensorFlow or PyTorch",
            received="Keras on JAX",
            fix="pip install leukobench[cpu], or set KERAS_BACKEND.",
        )
    load_openvino()
    (method,) = make_networks(
        experiment.model_copy(update={"cnns": [choice]})
    )  # another one may be code of a user's own
    return method


def fit_network(
    method: Method, experiment: Experiment, images: pd.DataFrame, task: Task, workspace: Workspace
) -> FittedCombination:
    """Train a network on all images, as a run trains it on those of a fold; a fit that was killed goes on.

    The network then gives the input of its last layer, and its probabilities after these. The selector keeps all of it,
    and the classifier takes the probabilities, calibrated where the run calibrates.

    Parameters
    ----------
    method : Method
        From `choose_network`.
    experiment : Experiment
    images : DataFrame
        ``image_id`` and ``path`` of the images; behind them those that are only validated on.
    task : Task
    workspace : Workspace
        Of the run: the pixels lie in its folder meanwhile, and the checkpoint; its workers are threads of the training.

    Raises
    ------
    ImagesChangedError
        Images have changed since the run.
    BundleError
        Converted, the network gives other probabilities.
    TrainingError
        The process that trained it died, or the loss is no number any more.
    """
    files = list(zip(images["image_id"], images["path"], strict=True))
    workers, progress = workspace.workers, workspace.progress
    _check_unchanged(files, workers, progress)
    pixels, _ = pixels_for(method, files, workspace)
    reports = workspace.folder.records / "fit.json"
    job = _Job(method, task, fit_rules(experiment), pixels, workers, reports)
    trained = _in_fresh_process(job, progress)
    size, interpolation = input_of(method)
    network = ServedNetwork(size, interpolation, "float32", 1, trained.network, reduced=False)
    features = _features(network, pixels, workers, progress)[: len(task)]
    fitted = Refitted(_keeping_all(features.shape[1]), trained.classifier, {})
    agreement = _agreement(fitted, features, trained)
    return FittedCombination(network, features, fitted, _origin(method, network), agreement)


@dataclass(frozen=True)
class _Job:
    """One training, for another process."""

    method: Method
    task: Task
    rules: FitRules
    pixels: Path
    threads: int
    reports: Path


@dataclass(frozen=True)
class _Conversion:
    """The converted network, its classifier, and what Keras gives for the images that are compared."""

    network: Converted
    classifier: Any
    vectors: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    warnings: list[str]


def _in_fresh_process(job: _Job, progress: Progress) -> _Conversion:
    job.reports.unlink(missing_ok=True)
    name = f"{job.method.label}, all images"
    with progress("training on all images", 1) as advance, fresh_process() as process:
        try:
            trained: _Conversion = follow(process.submit(_train, job), job.reports, name, advance)
        except BrokenProcessPool as error:
            raise TrainingError(DIED, received=job.method.label) from error
    for warning in trained.warnings:
        _log.warning("%s: %s", job.method.label, warning)
    for left in job.reports.parent.glob("fit.*"):
        left.unlink()
    return trained


def _train(job: _Job) -> _Conversion:
    """Fit, and convert what was fitted."""
    everything = np.arange(len(job.task))
    inner = InnerFolds(job.task, Fold(0, 0, everything, everything[:0]), job.rules.seed)
    job.method.estimator.set_params(n_jobs=job.threads)
    estimator = estimator_factory(job.method, job.rules, inner, job.task.classes)()
    report = reporter(job.reports)
    arguments = {"groups": job.task.groups, "checkpoint": job.reports.with_suffix(".npz"), "report": report}
    pixels, beside = Rows(job.pixels, everything), rows_beside(job.task, job.pixels)
    inputs, labels, arguments = with_validation(estimator, pixels, job.task.labels, arguments, beside)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = estimator.fit(inputs, labels, **fit_arguments(estimator, arguments))
    report({"done": 0.99, "phase": "converting the network"})
    compared = pixels[_compared_rows(len(pixels))]
    probabilities = fitted.predict_proba(compared)
    trained = fitted.calibrated_classifiers_[0].estimator if hasattr(fitted, "calibrated_classifiers_") else fitted
    model = append_features(trained.model_)
    vectors = np.asarray(model.predict_on_batch(compared.astype(np.float32)))
    outputs = trained.model_.output.shape[-1]
    names = output_names(vectors.shape[1] - outputs, outputs)
    classifier = NetworkOutput(outputs).fit(None, trained.classes_)
    if trained is not fitted:
        fitted.calibrated_classifiers_[0].estimator, fitted.estimator, fitted.cv = classifier, None, None
        classifier = fitted
    messages = sorted({str(warning.message).splitlines()[0] for warning in caught})
    return _Conversion(export_network(model, names), classifier, vectors, probabilities, messages)


def _compared_rows(images: int) -> NDArray[np.int64]:
    """Images for which Keras and OpenVINO are compared."""
    return np.unique(np.linspace(0, images - 1, _COMPARED).astype(np.int64))


def _check_unchanged(files: Sequence[tuple[str, str]], workers: int, progress: Progress) -> None:
    def difference(file: tuple[str, str]) -> str:
        image_id, reason = image_id_of(file[1])
        return reason or ("" if image_id == file[0] else "other bytes")

    reasons = {}
    threads = reading_threads(files[0][1], workers)
    with progress("verifying images", len(files)) as advance, ThreadPoolExecutor(threads) as pool:
        for file, reason in zip(files, pool.map(difference, files), strict=True):
            if reason:
                reasons[file[0]] = reason
            advance(1)
    if reasons:
        raise ImagesChangedError(reasons)


def _features(network: ServedNetwork, pixels: Path, workers: int, progress: Progress) -> NDArray[np.float32]:
    images = np.load(pixels, mmap_mode="r")
    features = np.empty((len(images), len(network.files.feature_names)), np.float32)
    with network.open(workers) as engine, progress("computing features", len(images)) as advance:
        for place, vector in enumerate(engine.vectors(iter(images))):
            features[place] = vector
            advance(1)
    return features


def _keeping_all(columns: int) -> NoSelection:
    """A selector that drops nothing: the last columns are probabilities even where they do not vary."""
    selector = NoSelection()
    selector.support_, selector.n_features_in_ = np.arange(columns), columns
    return selector


def _agreement(fitted: Refitted, features: NDArray[np.float32], trained: _Conversion) -> Agreement:
    """How far the bundle's network is from the one that Keras trained."""
    own = features[_compared_rows(len(features))]
    vectors = np.linalg.norm(own - trained.vectors, axis=1) / np.linalg.norm(trained.vectors, axis=1)
    probabilities = np.abs(fitted.probabilities(own, trained.probabilities.shape[1]) - trained.probabilities)
    largest = float(probabilities.max())
    if math.isnan(largest) or largest > _TOLERANCE:
        raise BundleError(
            "The bundle's network gives probabilities that differ from those of the trained network.",
            expected=f"a difference of at most {_TOLERANCE:g}",
            received=f"{largest:.2g}",
            fix="fit again on a machine without a GPU, or with other versions of Keras and OpenVINO.",
        )
    return Agreement(len(own), float(vectors.max()), "Keras", largest)


def _origin(method: Method, network: ServedNetwork) -> Origin:
    title = method.estimator.spec.title if hasattr(method.estimator, "spec") else method.label
    part = getattr(method.estimator, "trained", "")
    start = weights_in_words(method).removeprefix("trained from ")
    description = f"{title}, trained end to end on pixels{part and f' ({part})'}, from {start}"
    identity = {name: value for name, value in method.identity.items() if name != "parameters"}
    digest = hashlib.sha256(network.files.files()[1]).hexdigest()
    return Origin(identity, description, f"SHA-256 {digest}, after training")
