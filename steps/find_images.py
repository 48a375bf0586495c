"""Find images: every file of the folder by its SHA-256, with label and patient, and the ledger of unused files."""

from __future__ import annotations

import logging
from pathlib import Path

from ..audit.decisions import Decided, read_decisions
from ..config.experiment import Experiment
from ..images.index import ImageIndex, index_images
from ..runs.progress import count_progress
from ..runs.workspace import Workspace

_log = logging.getLogger(__name__)
IDENTIFYING = "identifying images"


def find_images(experiment: Experiment, workspace: Workspace) -> ImageIndex:
    """Index every image by its SHA-256; check that the run is of these images; nothing is decoded yet.

    Raises
    ------
    ImagesError, ConfigurationError
    """
    images = experiment.images
    if isinstance(images.copies, Path):
        decisions = read_decisions(images.copies)  # a mistake in the table stops before the images are identified
        if not decisions.rows:
            _log.warning("%s holds no decision: copies are grouped as the audit finds them.", images.copies)
    with count_progress(workspace.progress, IDENTIFYING) as report:
        index = index_images(
            images.folder, images.layout, images.group, report, images.exclude_classes, images.exclude_files
        )
    for sentence in index.warnings:
        _log.warning("%s", sentence)
    warn_of_ledger(index)
    decisions_on(experiment, index)
    workspace.folder.refuse_other_images(str(images.folder), index.digest())
    _log.info("Found %s images.", f"{len(index):,}", extra={"facts": {"not_used": len(index.ledger)}})
    return index


def decisions_on(experiment: Experiment, index: ImageIndex, *, strict: bool = True) -> Decided:
    """A person's decisions on pairs of these images; none without a table in ``images.copies``.

    Raises
    ------
    ConfigurationError
        The table cannot be used; `strict` also refuses one that names images that are not there.
    """
    table, folder = experiment.images.copies, experiment.images.folder
    if not isinstance(table, Path):
        return {}
    base, unused = folder if folder.is_dir() else folder.parent, set(index.ledger["path"])
    return read_decisions(table).of(index.images, base, unused, strict=strict)


def warn_of_ledger(index: ImageIndex) -> None:
    """Log how many files are not used, and the most frequent reasons."""
    if len(index.ledger):
        reasons = index.ledger["reason"].value_counts()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.head(5).items())
        _log.warning("Files not used: %s (%s).", f"{len(index.ledger):,}", listed)
