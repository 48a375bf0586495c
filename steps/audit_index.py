"""Audit the index: measure every image once, group copies, compare the classes in facts unrelated to the cells."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audit.difference_words import prediction_lines
from ..audit.differences import class_differences
from ..audit.file_names import advise_group
from ..audit.one_colour import of_one_colour, one_colour_words
from ..audit.predictions import predictions
from ..audit.summary import summarise
from ..config.experiment import Experiment
from ..errors import ImagesChangedError, UnreadableImageError
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, pending
from ..features.simple_measurements import SimpleMeasurements, columns, fingerprints_of
from ..images.facts import file_facts
from ..images.index import ImageIndex
from ..images.keypoints import KeypointFile
from ..images.losses import check_kept
from ..images.reading import read_file
from ..images.splits import VALIDATION
from ..runs.split_answer import Leaks
from ..runs.workspace import Workspace
from .find_images import warn_of_ledger
from .group_copies import group_copies
from .group_pseudo_patients import group_pseudo_patients
from .leave_out_conflicts import leave_out_conflicts

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
MEASURING = "measuring every image"
_TEXTS = ("format", "mode", "JPEG subsampling", "maker", "model", "software")


@dataclass(frozen=True)
class Audited:
    """Results of the audit.

    Attributes
    ----------
    index : ImageIndex
        Without the images that do not decode, and those under several labels; copies are grouped.
    measurements : ndarray of float32, shape (len(index), numbers)
        Memory-mapped; see `SimpleMeasurements`.
    names : list of str
        Of its columns.
    pairs : DataFrame
        Copies; see `leukobench.steps.group_copies.group_copies`.
    summary : dict
        Counts and words; see `summarise`.
    parts : ndarray of str, shape (len(index),), optional
        Of a given split.
    leaks : Leaks, optional
        What is in several parts of it.
    validation : ImageIndex, optional
        Images that are only tuned on, beside the index.
    """

    index: ImageIndex
    measurements: np.ndarray
    names: list[str]
    pairs: pd.DataFrame
    summary: dict[str, Any]
    parts: np.ndarray | None = None
    leaks: Leaks | None = None
    validation: ImageIndex | None = None

    def split(self, sealed: np.ndarray) -> tuple[Audited, ImageIndex]:
        """Leave out the rows where `sealed` is true; they come second."""
        index, held = self.index.split(sealed)
        parts = None if self.parts is None else self.parts[~sealed]
        return replace(self, index=index, measurements=self.measurements[~sealed], parts=parts), held

    def without_validation(self) -> Audited:
        """The index without the images that are only tuned on, which come as `validation`."""
        if self.parts is None or not (self.parts == VALIDATION).any():
            return self
        audited, held = self.split(self.parts == VALIDATION)
        return replace(audited, validation=held)

    def files_in_order(self) -> ImageIndex:
        """The index, followed by the images that are only tuned on: the order of feature matrices."""
        return self.index if self.validation is None else self.index.followed_by(self.validation)


def audit_index(experiment: Experiment, index: ImageIndex, workspace: Workspace) -> Audited:
    """Measure every image once, find copies and class differences; write ``audit/`` of the run.

    Raises
    ------
    ImagesError, ConfigurationError
        No image can be read, or pseudo-patients make no sense for these.
    """
    folder = workspace.folder
    with KeypointFile(folder.matrix("measurements").parent) as keypoints:
        index, measurements, names = _measure(index, keypoints, workspace)
        index, pairs = group_copies(experiment, index, fingerprints_of(measurements, names), keypoints, workspace)
    whole = index
    index, used = leave_out_conflicts(experiment, index, pairs)
    measurements = measurements if used.all() else measurements[used]
    facts, labels = _facts(index, measurements, names), index.images["label"].to_numpy()
    differences = class_differences(facts, labels, index.group)
    folder.write_table("audit/differences.csv", differences)
    copies = experiment.images.copies
    settings = "group" if isinstance(copies, Path) else copies, experiment.images.label_conflicts
    summary = summarise(whole.images, pairs, differences, *settings)
    summary["warnings"] += _advice(experiment, index)
    summary["warnings"] += one_colour_words(labels, _one_colour(measurements, names))
    summary["warnings"] += prediction_lines(predictions(facts, labels, index.group), differences, len(index.classes()))
    index = group_pseudo_patients(experiment, index, measurements[:, columns(names, "colour")])
    folder.write_table("ledger.parquet", index.whole_ledger())
    return Audited(index, measurements, names, pairs, summary)


def _measure(
    index: ImageIndex, keypoints: KeypointFile, workspace: Workspace
) -> tuple[ImageIndex, np.ndarray, list[str]]:
    """The index without the images that do not decode, and the measurements of the others with their names."""
    target, cache = workspace.folder.matrix("measurements"), FeatureCache.shared(SimpleMeasurements.identity)
    with workspace.progress(MEASURING, len(pending(index.files(), cache))) as advance:
        measuring, cores = SimpleMeasurements(keypoints), workspace.workers
        unreadable = extract_to(target, measuring, index.files(), cache, cores, advance, workspace.cluster)
    if unreadable:
        for sentence in check_kept(zip(index.images["label"], index.images["image_id"], strict=True), unreadable):
            _log.warning("%s", sentence)
        index = index.without(unreadable)
        warn_of_ledger(index)
    return index, np.load(target, mmap_mode="r"), cache.feature_names()


def _advice(experiment: Experiment, index: ImageIndex) -> list[str]:
    """What the file names betray, where no patient is known."""
    folder, paths = experiment.images.folder, index.images["path"]
    if (index.images["patient"] != "").any():
        return []
    base = str(folder if folder.is_dir() else folder.parent) + os.sep
    advice = advise_group(
        [path.removeprefix(base).replace(os.sep, "/") for path in paths], index.images["label"].tolist()
    )
    return [advice] if advice else []


def _facts(index: ImageIndex, measurements: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """File facts and colours by name; facts that are texts are read again from one file each."""
    import pandas as pd

    wanted = [position for position, name in enumerate(names) if name.startswith(("file.", "colour."))]
    named = [names[position].removeprefix("file.") for position in wanted]
    table = pd.DataFrame(measurements[:, wanted], columns=named)
    for name in _TEXTS:
        codes, first = np.unique(table[name], return_index=True)
        texts = [str(file_facts(_bytes(*image))[name]) for image in np.array(index.files(), dtype=object)[first]]
        table[name] = table[name].map(dict(zip(codes, texts, strict=True)))
    table["taken"] = pd.to_datetime(table["taken"].where(table["taken"] != 0), unit="D", errors="coerce")
    return table


def _bytes(image_id: str, path: str) -> bytes:
    """Of a file that was measured a moment ago, and may have vanished since."""
    try:
        return read_file(path)
    except UnreadableImageError as error:
        raise ImagesChangedError({image_id: error.what}) from error


def _one_colour(measurements: np.ndarray, names: Sequence[str]) -> np.ndarray:
    deviations = measurements[:, columns(names, "colour.sd")]
    return of_one_colour(deviations, measurements[:, columns(names, "evenness")].ravel())
