"""Read views: features of a sample of the images in counterfactual views, from the cache or from one pass for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtractionError
from ..evaluation.grid import FeatureSource
from ..features.cache import FeatureCache
from ..features.extraction import compute, pending
from ..features.extractor import Convertible, Extractor
from ..features.viewed_extractor import ViewedExtractor, viewed_identity
from ..features.views import View
from ..runs.workspace import Workspace
from ..storage import digest, storage_errors

UNTOUCHED = "untouched"


class Sample(NamedTuple):
    """Rows of some images among all, their files (image_id, path), and the views that they are read in."""

    rows: NDArray[np.int64]
    files: Sequence[tuple[str, str]]
    views: Sequence[View]


def read_views(
    source: FeatureSource, extractor: Extractor, sample: Sample, workspace: Workspace
) -> dict[str, FeatureSource]:
    """Features of the sampled images as they are, and in each view, by the name of the view.

    Parameters
    ----------
    source : FeatureSource
        Features of all images.
    extractor : Extractor
        That gave them.
    sample : Sample
    workspace : Workspace

    Raises
    ------
    ExtractionError, EngineError
        The extractor does not read views.
    """
    rows, files, views = sample
    caches = {view.name: FeatureCache.shared(viewed_identity(extractor, view)) for view in views}
    lacking = {view.name: pending(files, caches[view.name]) for view in views}
    shared = isinstance(extractor, Convertible)  # of others the number of features is not known beforehand
    passes = [[view for view in views if lacking[view.name]]] if shared else [[view] for view in views]
    count = max((len(missing) for missing in lacking.values()), default=0)
    with workspace.progress(f"views of {source.label}", count * len(passes)) as advance:
        for together in passes:
            missing = list({image: image for view in together for image in lacking[view.name]})
            refused: dict[str, str] = {}
            own = [caches[view.name] for view in together]
            viewed, cores = ViewedExtractor(extractor, together), workspace.workers
            compute(missing, viewed, own, cores, refused, advance, workspace.cluster)
            if refused:
                raise ExtractionError(f"{len(refused)} images cannot be read in views: {next(iter(refused.values()))}")
    sources = {UNTOUCHED: _save(source, np.load(source.matrix, mmap_mode="r")[rows], workspace)}
    for view in views:
        identity = digest(dict(viewed_identity(extractor, view)))
        target = workspace.folder.matrix(f"view-{identity[:16]}")
        caches[view.name].fill([image_id for image_id, _ in files], target)
        sources[view.name] = FeatureSource(f"{source.label}, {view.name}", target, identity)
    return sources


def _save(source: FeatureSource, features: NDArray[np.float32], workspace: Workspace) -> FeatureSource:
    target = workspace.folder.matrix(f"view-{source.identity[:16]}")
    with storage_errors(target):
        np.save(target, features)
    return FeatureSource(source.label, target, source.identity)
