"""Find images: every file of the folder by its SHA-256, with label and patient, and the ledger of unused files."""

from __future__ import annotations

import logging
from pathlib import Path

from ..audit.corrections import LEAVE_OUT, corrections_of, read_corrections
from ..audit.decisions import Decided, read_decisions
from ..audit.filled_tables import Rows
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
    corrections = read_corrections(images.corrections) if images.corrections else []
    with count_progress(workspace.progress, IDENTIFYING) as report:
        index = index_images(
            images.folder,
            images.layout,
            images.group,
            report,
            images.exclude_classes,
            images.exclude_files,
            split=experiment.evaluation.split == "given",
        )
    for sentence in index.warnings:
        _log.warning("%s", sentence)
    if images.corrections:
        index = _correct(index, corrections, images.corrections, images.folder)
    warn_of_ledger(index)
    decisions_on(experiment, index)
    workspace.folder.refuse_other_images(str(images.folder), index.digest())
    _log.info("Found %s images.", f"{len(index):,}", extra={"facts": {"not_used": len(index.unused)}})
    return index


def _correct(index: ImageIndex, rows: Rows, table: Path, folder: Path) -> ImageIndex:
    """The index with the labels that a person corrected, and without the images that are to be left out."""
    base = folder if folder.is_dir() else folder.parent
    corrections = corrections_of(rows, index.images, base, set(index.ledger["path"]), table)
    left_out = {image_id for image_id, correction in corrections.items() if correction == LEAVE_OUT}
    labels = {image_id: correction for image_id, correction in corrections.items() if image_id not in left_out}
    index = index.with_labels(labels, table.name)
    if left_out:
        index = index.without(dict.fromkeys(left_out, f"{LEAVE_OUT} ({table.name})"))
    counts = f"{len(index.corrected):,}", f"{len(left_out):,}"
    _log.warning("%s: labels corrected: %s; images left out: %s.", table.name, *counts)
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
    if len(unused := index.unused):
        reasons = unused["reason"].value_counts()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.head(5).items())
        _log.warning("Files not used: %s (%s).", f"{len(unused):,}", listed)
