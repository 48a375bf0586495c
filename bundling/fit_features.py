"""Fitting a combination on the features of a frozen network, and bringing that network into the bundle's form."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..config.choice import Choice
from ..config.experiment import Experiment
from ..errors import BundleError, ConfigurationError, ImagesChangedError, UnreadableImageError
from ..evaluation.combination_names import Names
from ..evaluation.refit import refit
from ..features.cache import FeatureCache
from ..features.embedding_table import EmbeddingTable
from ..features.extraction import extract_to, pending
from ..features.extractor import Convertible, Extractor
from ..features.extractors import make_extractor
from ..images.reading import read_file
from ..runs.finished import FinishedRun
from ..runs.workspace import Workspace
from ..serving.served_code import ServedCode
from ..serving.served_network import ServedNetwork, relative_distance
from ..steps.check_names import check_methods
from ..steps.choose_methods import fit_rules, make_methods
from ..storage import digest
from .combination import Agreement, FittedCombination, Origin
from .name_extractor import name_extractor

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}
_COMPARED = 8


def fit_features(run: FinishedRun, names: Names, workspace: Workspace) -> FittedCombination:
    """Fit a selector and a classifier to the features of a frozen network.

    Raises
    ------
    BundleError
        The extractor is a table, or the bundle's network gives other vectors.
    ConfigurationError
        The extractor has changed since the run.
    ImagesChangedError
        Images have changed since the run, and their features are not cached.
    """
    check_methods(with_one(run.experiment, names), names[:1])
    choice, extractor = _extractor(run, names[0])
    features = load_features("features", "fit", extractor, run.read_images, workspace)
    network: ServedNetwork | ServedCode
    if isinstance(extractor, Convertible):
        network, weights = _convert(extractor), f"SHA-256 {extractor.weights.digest}"
    else:
        network, weights = name_extractor(choice, extractor, features.shape[1]), "as its code has or finds them"
    (selector,), (classifier,) = make_methods(with_one(run.experiment, names))
    with workspace.progress("fitting on all images", 1) as advance, warnings.catch_warnings(record=True) as caught:
        fitted = refit(features, run.task, selector, classifier, fit_rules(run.experiment))
        advance(1)
    for words in sorted({f"{warning.category.__name__}: {warning.message}".splitlines()[0] for warning in caught}):
        _log.warning("The fit reported: %s", words)
    origin = Origin(dict(extractor.identity), extractor.description, weights)
    features = features[: len(run.task)]
    agreement = _agreement(network, run.images, features, workspace.workers)
    return FittedCombination(network, features, fitted, origin, agreement)


def with_one(experiment: Experiment, names: Names) -> Experiment:
    """The experiment with the methods of one combination alone: code that only others need has not to be allowed."""
    chosen = {
        family: [choice for choice in getattr(experiment, family) if choice.label == name]
        for family, name in zip(("selectors", "classifiers"), names[1:], strict=True)
    }
    return experiment.model_copy(update=chosen)


def load_features(
    title: str, name: str, extractor: Extractor, images: pd.DataFrame, workspace: Workspace
) -> NDArray[np.float32]:
    """Features of all images, from the cache where they are there; `name` is that of the matrix in the run's folder."""
    cache, target = FeatureCache.shared(extractor.identity), workspace.folder.matrix(name)
    files = list(zip(images["image_id"], images["path"], strict=True))
    with workspace.progress(f"extracting {title}", len(pending(files, cache))) as advance:
        unreadable = extract_to(target, extractor, files, cache, workspace.workers, advance)
    if unreadable:
        raise ImagesChangedError(unreadable)
    return np.asarray(np.load(target, mmap_mode="r"))


def _extractor(run: FinishedRun, label: str) -> tuple[Choice, Extractor]:
    choice = next(choice for choice in run.experiment.extractors if choice.label == label)
    extractor = make_extractor(choice.name, choice.parameters)
    if isinstance(extractor, EmbeddingTable):
        raise BundleError(
            f"The extractor {label} is a table, which has no vectors of new images.",
            expected="a network, or an extractor in a module",
            received=label,
            fix="choose another combination of the leaderboard: `--combination EXTRACTOR SELECTOR CLASSIFIER`.",
        )
    check_extractor(run, label, extractor)
    return choice, extractor


def check_extractor(run: FinishedRun, label: str, extractor: Extractor) -> None:
    """Refuse an extractor whose numbers would differ from those of the run.

    Raises
    ------
    ConfigurationError
    """
    if digest(run.resolved["extractors"][label]) != digest(dict(extractor.identity)):
        raise ConfigurationError(
            f"The extractor {label} has changed since the run: its code or weights, its engine or leukobench.",
            fix="run the experiment again: only what changed is computed.",
        )


def _convert(extractor: Convertible) -> ServedNetwork:
    """The network as the bundle will run it."""
    read = extractor.image_input
    way = read.interpolation, extractor.precision, extractor.orientations
    return ServedNetwork(read.size, *way, extractor.converted(), crop=read.crop)


def _agreement(
    network: ServedNetwork | ServedCode, images: pd.DataFrame, features: NDArray[np.float32], workers: int
) -> Agreement:
    """How far the bundle's network is from the run's features, on a few training images that are still there."""
    pixels = {}
    for row in np.unique(np.linspace(0, len(images) - 1, _COMPARED).astype(int)):
        with contextlib.suppress(UnreadableImageError):  # of one that is no longer there
            data = read_file(images["path"].iloc[row])
            if hashlib.sha256(data).hexdigest() == images["image_id"].iloc[row]:
                pixels[row] = network.read(data)
    with network.open(workers) as engine:
        vectors = list(engine.vectors(iter(pixels.values())))
    distances = [relative_distance(vector, features[row]) for vector, row in zip(vectors, pixels, strict=True)]
    largest, limit = float(np.max(distances, initial=0.0)), _TOLERANCE[network.precision]
    if math.isnan(largest) or largest > limit:
        raise BundleError(
            "The bundle's network gives vectors that differ from the run's features.",
            expected=f"a distance of at most {limit:g} (relative)",
            received=f"{largest:.2g}",
            fix="run the experiment again on this machine, then fit.",
        )
    return Agreement(len(distances), largest)
