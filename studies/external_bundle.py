"""The model of a bundle, for external images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundling.out_of_fold import OutOfFold
from ..config.experiment import Evaluation
from ..errors import ImagesChangedError
from ..evaluation.combination_names import NAMES, names_of
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, pending
from ..features.extractor import OpenExtractor
from ..images.index import ImageIndex
from ..runs.finished import FinishedRun
from ..runs.workspace import Workspace
from ..serving.bundle import Bundle
from .external_model import Model, Predicted, Surroundings


def bundle_model(bundle: Bundle, run: FinishedRun | None) -> Model:
    """What is tested of a bundle.

    Parameters
    ----------
    bundle : Bundle
    run : FinishedRun, optional
        That it was made of: its images are compared with the external ones.
    """
    names = names_of({name: str(bundle.facts["combination"][name]) for name in NAMES})
    return Model(
        kind="bundle",
        name=bundle.name,
        digest=bundle.digest,
        classes=bundle.classes,
        counts=tuple(np.bincount(bundle.training_facts.labels, minlength=len(bundle.classes)).tolist()),
        evaluation=Evaluation.model_validate(bundle.facts["evaluation"]),
        chosen=names,
        image_ids=bundle.training_facts.image_ids,
        patients=str(bundle.facts["patients"]),
        training=None if run is None else run.images,
        quantiles=lambda workspace: bundle.training_facts.quantiles,
        predict=lambda index, workspace: [_predict(bundle, index, workspace)],
    )


def _predict(bundle: Bundle, index: ImageIndex, workspace: Workspace) -> Predicted:
    vectors = _vectors(_BundleNetwork(bundle), index.files(), workspace)
    facts, inside = bundle.training_facts, None
    if facts.probabilities is not None and facts.folds is not None:
        inside = OutOfFold(facts.probabilities, facts.labels, facts.groups, facts.folds)
    names = names_of({name: str(bundle.facts["combination"][name]) for name in NAMES})
    around = Surroundings(bundle.reference, vectors)
    return around.predicted(names, bundle.probabilities(vectors), bundle.conformal_scores, inside)


class _BundleNetwork:
    """The network of a bundle as an extractor, so that its features are kept."""

    description = "network of a bundle"

    def __init__(self, bundle: Bundle) -> None:
        self._network = network = bundle.network
        files = [hashlib.sha256(part).hexdigest() for part in network.stored_files().values()]
        self.identity: Mapping[str, Any] = {"name": "bundle", "files": files, **network.to_mapping()}

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels of an image file."""
        return self._network.read(data)

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load the network."""
        return self._network.open(threads)


def _vectors(extractor: _BundleNetwork, files: Sequence[tuple[str, str]], workspace: Workspace) -> NDArray[np.float32]:
    cache, target = FeatureCache.shared(extractor.identity), workspace.folder.matrix("bundle")
    with workspace.progress("extracting features", len(pending(files, cache))) as advance:
        unreadable = extract_to(target, extractor, files, cache, workspace.workers, advance)
    if unreadable:
        raise ImagesChangedError(unreadable)
    return np.asarray(np.load(target))
