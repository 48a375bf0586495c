"""Find images: every file of the folder by its SHA-256, with label and patient, and the ledger of unused files."""

from __future__ import annotations

import logging

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
    with count_progress(workspace.progress, IDENTIFYING) as report:
        index = index_images(images.folder, images.layout, images.group, report)
    warn_of_ledger(index)
    workspace.folder.refuse_other_images(str(images.folder), index.digest())
    _log.info("Found %s images.", f"{len(index):,}", extra={"facts": {"not_used": len(index.ledger)}})
    return index


def warn_of_ledger(index: ImageIndex) -> None:
    """Log how many files are not used, and the most frequent reasons."""
    if len(index.ledger):
        reasons = index.ledger["reason"].value_counts()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.head(5).items())
        _log.warning("Files not used: %s (%s). ledger.parquet lists each one.", f"{len(index.ledger):,}", listed)
