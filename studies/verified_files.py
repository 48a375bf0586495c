"""Files against their digests: those of the folder, and the images themselves."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError
from ..machine import Progress
from ..runs.folder import RunFolder
from ..storage import file_digest
from .compared_tables import Check, Mismatch, compare_facts
from .stored_results import DIGESTS, READ, StoredResults

FILES, IMAGES = "files", "images"
_NONE = "none"
_SHORT = 12


def written_digests(folder: Path) -> dict[str, str]:
    """File -> SHA-256, as the run, or the publication, recorded it."""
    try:
        stored: Any = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in stored.items()}
    except (OSError, ValueError, AttributeError):
        return RunFolder(folder).written()


def check_files(folder: Path) -> Check:
    """Whether every file is still what its run wrote; one that is absent, or that has no digest, differs, too."""
    written = written_digests(folder)
    unknown = {name: _NONE for name in READ if (folder / name).is_file() and name not in written}
    every = sorted((written | unknown).items())
    now = [file_digest(folder / name) if (folder / name).is_file() else "" for name, _ in every]
    agrees = np.array([digest == own for (_, digest), own in zip(every, now, strict=True)], dtype=bool)
    wrong = np.flatnonzero(~agrees)
    named = [Mismatch(every[place][0], "", "SHA-256", _short(every[place][1]), _short(now[place])) for place in wrong]
    return Check(FILES, len(agrees), len(wrong), mismatches=tuple(named))


def check_images(stored: StoredResults, folder: Path, progress: Progress) -> Check:
    """Whether the images below a folder have the bytes that the run read: each image id is the SHA-256 of a file.

    Files may have been renamed or moved; those that the run did not use are passed over.

    Raises
    ------
    ConfigurationError
        There is no such folder, or the results do not name their images.
    """
    if not folder.is_dir():
        raise ConfigurationError("There is no such folder of images.", received=str(folder), fix="name another.")
    if not stored.names_images:
        raise ConfigurationError(
            "These results do not say which images they are of.",
            expected="images.parquet with the column image_id",
            received=f"columns {', '.join(map(str, stored.images.columns))}",
            fix="leave out --images.",
        )
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    present: Counter[str] = Counter()
    with progress("reading the images", len(files)) as advance:
        for path in files:
            present[file_digest(path)] += 1
            advance(1)
    ids, agrees = stored.images["image_id"].tolist(), []
    for one in ids:  # copies share an id: as many files have to be there
        agrees.append(present[one] > 0)
        present[one] -= 1
    paths = stored.images["path"].tolist() if "path" in stored.images else [""] * len(ids)

    def describe(place: int) -> tuple[str, str, str, str]:
        name = Path(paths[place]).name or "image"
        return f"row {place}", name, _short(ids[place]), "no further file with these bytes: absent or changed"

    return compare_facts(IMAGES, "images.parquet", np.array(agrees, dtype=bool), describe)


def _short(digest: str) -> str:
    return f"{digest[:_SHORT]}…" if len(digest) > _SHORT else digest or "no such file"
