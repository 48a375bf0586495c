"""Make the task: labels and groups, from the index or from the images of a finished run."""

from __future__ import annotations

from ..evaluation.task import Task
from ..images.index import ImageIndex


def make_task(index: ImageIndex) -> Task:
    """Ids, labels and groups of the index, with patients and copies to be checked before each fit."""
    return Task.of_images(index.table())
