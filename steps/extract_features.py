"""Extract features: the vectors of every image, from the cache or from one pass of a network."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..errors import EngineError, ExtractionError, ImagesChangedError
from ..evaluation.grid import FeatureSource
from ..features.cache import FeatureCache
from ..features.extraction import compute, extract_to, pending
from ..features.extractor import Extractor
from ..features.simple_measurements import SimpleMeasurements
from ..features.together import Together, together
from ..images.index import ImageIndex
from ..runs.workspace import Workspace
from ..storage import digest
from .audit_index import MEASURING

_log = logging.getLogger(__name__)


def extract_features(
    extractors: Mapping[str, Extractor], index: ImageIndex, workspace: Workspace
) -> list[FeatureSource]:
    """Features of every image; if one extractor fails, the others go on.

    Raises
    ------
    ImagesChangedError
        Images changed, or became unreadable, since the audit measured them.
    """
    for group in together(extractors.values()):
        _extract_together(group, index, workspace)
    sources = []
    for label, extractor in extractors.items():
        cache = FeatureCache.shared(extractor.identity)
        target = workspace.folder.matrix(digest(label)[:16])
        missing, error = len(pending(index.files(), cache)), ""
        try:
            with workspace.progress(_stage(label), missing) as advance:
                cores = workspace.workers
                unreadable = extract_to(target, extractor, index.files(), cache, cores, advance, workspace.cluster)
            if unreadable:
                raise ImagesChangedError(unreadable)
            _log.info("Features of %s: %s images computed, the rest cached.", label, f"{missing:,}")
        except (ExtractionError, EngineError) as failure:
            error = str(failure)
            _log.warning("All combinations with %s fail. %s", label, error)
        sources.append(FeatureSource(label, target, digest(dict(extractor.identity)), error))
    return sources


def images_to_extract(extractors: Mapping[str, Extractor], index: ImageIndex) -> dict[str, int]:
    """How many images the audit, and each stage of `extract_features`, have to compute."""
    files = index.files()
    counts = {MEASURING: len(pending(files, FeatureCache.shared(SimpleMeasurements.identity)))}
    caches = {label: FeatureCache.shared(extractor.identity) for label, extractor in extractors.items()}
    lacking = {label: {name for name, _ in pending(files, cache)} for label, cache in caches.items()}
    for group in together(extractors.values()):
        members = [label for label, extractor in extractors.items() if extractor in group.members]
        shared = set.intersection(*(lacking[label] for label in members))
        counts[_stage(group)] = len(shared)
        for label in members:
            left = lacking.pop(label) - shared
            counts |= {_stage(label): len(left)} if left else {}
    return counts | {_stage(label): len(names) for label, names in lacking.items()}


def _extract_together(group: Together, index: ImageIndex, workspace: Workspace) -> None:
    """Compute the uncached images of all members of `group` in one pass; after a failure each member is tried alone."""
    caches = [FeatureCache.shared(member.identity) for member in group.members]
    cached = set.union(*(cache.image_ids() for cache in caches))
    missing = list({name: (name, path) for name, path in index.files() if name not in cached}.values())
    try:
        with workspace.progress(_stage(group), len(missing)) as advance:
            compute(missing, group, caches, workspace.workers, {}, advance, workspace.cluster)
    except (ExtractionError, EngineError) as failure:
        _log.warning("Extraction in one pass failed, now one extractor after the other: %s", failure)
    else:
        if missing:
            _log.info("Features of %s in one pass: %s images.", group.members[0].title, f"{len(missing):,}")


def _stage(extracting: str | Together) -> str:
    return f"extracting {extracting.title if isinstance(extracting, Together) else extracting}"
