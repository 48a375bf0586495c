"""The health of the feature cache: what each extractor has there, what is damaged, what nothing reads any more."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cache import FORMAT_VERSION, FeatureCache, part_fault
from .cache_files import IDENTITY, CacheFile, files_below
from .network_extractor import DECODING
from .views import VIEWS


@dataclass
class CachedExtractor:
    """The features of one extractor.

    Attributes
    ----------
    folder : Path
    identity : mapping
        Empty where it cannot be read.
    parts, bytes : int
        Files of features, and bytes of all files.
    damaged : dict
        File that cannot be read -> why; also those that an earlier run set aside.
    unchecked : int
        Parts that were not read, for want of time.
    orphaned : str
        Why nothing reads this folder any more; else empty.
    """

    folder: Path
    identity: Mapping[str, Any]
    parts: int = 0
    bytes: int = 0
    damaged: dict[Path, str] = field(default_factory=dict)
    unchecked: int = 0
    orphaned: str = ""

    @property
    def title(self) -> str:
        """Name, pooling, view and precision of the extractor."""
        words = [self.identity.get(key) for key in ("pooling", "precision")]
        view = self.identity.get("view") or [""]
        name = str(self.identity.get("name", self.folder.name))
        return ", ".join([name, *(str(word) for word in words if word), *([f"view: {view[0]}"] if view[0] else [])])


def cached_extractors(root: Path, within_s: float) -> list[CachedExtractor]:
    """Every folder of features below `root`, the largest first; nothing is changed.

    Parts are read for `within_s` seconds, the small ones first.
    """
    folders: dict[Path, list[CacheFile]] = {}
    for file in files_below(root):
        folders.setdefault(file.path.parent, []).append(file)
    extractors = [_look(folder, files) for folder, files in sorted(folders.items()) if folder.parent == root]
    end = time.monotonic() + within_s
    parts = [(file, one) for one in extractors for file in folders[one.folder] if file.is_part]
    for file, one in sorted(parts, key=lambda entry: (entry[0].size, entry[0].path)):
        if time.monotonic() > end:
            one.unchecked += 1
        elif (fault := part_fault(file)) and file.path.exists():
            one.damaged[file.path] = fault
    return sorted(extractors, key=lambda one: -one.bytes)


def _look(folder: Path, files: Sequence[CacheFile]) -> CachedExtractor:
    try:
        identity = json.loads((folder / IDENTITY).read_bytes())
        orphaned = _why_orphaned(folder, identity)
    except (OSError, ValueError, AttributeError, TypeError):
        identity, orphaned = {}, "its identity cannot be read"
    one = CachedExtractor(folder, identity if isinstance(identity, dict) else {}, orphaned=orphaned)
    one.parts = sum(file.is_part for file in files)
    one.bytes = sum(file.size for file in files)
    one.damaged = {file.path: "set aside by a run" for file in files if file.path.suffix == ".damaged"}
    return one


def _why_orphaned(folder: Path, identity: Mapping[str, Any]) -> str:
    """Only what is sure: of weights, networks and packages of others nobody knows whether they come back."""
    from .simple_measurements import SimpleMeasurements

    stated = {key: value for key, value in identity.items() if key != "format"}
    views = [[view.name, view.version] for view in VIEWS]
    if identity.get("format") != FORMAT_VERSION:
        return "another format"
    if FeatureCache(folder.parent, stated).folder.name != folder.name:
        return "its identity is another's"
    if identity.get("decoding", DECODING) != DECODING:
        return "images are decoded otherwise now"
    if identity.get("view", views[0]) not in views:
        return "the view is drawn otherwise now"
    measured = SimpleMeasurements.identity
    if identity.get("name") == measured["name"] and stated != measured:
        return "images are measured otherwise now"
    return ""
