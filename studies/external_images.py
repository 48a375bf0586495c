"""External images: labelled images of another source, with the model's classes, and which of them it was trained on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..audit.clusters import clusters_of, group_pairs, labels_in_conflict
from ..audit.copies import KINDS, find_copies
from ..errors import ImagesError
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, pending
from ..features.simple_measurements import SimpleMeasurements, fingerprints_of
from ..images.files import find_files
from ..images.groups import compile_group, regroup
from ..images.identification import image_id_of
from ..images.index import ImageIndex, index_images
from ..images.keypoints import KeypointFile
from ..images.listing import read_layout
from ..images.reading import reading_threads
from ..runs.progress import count_progress
from ..runs.workspace import Workspace
from ..steps.audit_index import MEASURING
from ..steps.find_copies import COMPARING
from ..steps.find_images import IDENTIFYING
from .external_classes import ClassMap, map_classes

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_SURE = KINDS[:3]


@dataclass(frozen=True)
class ImageSource:
    """Where the images are, and how their labels and patients are read; see `leukobench.images.index.index_images`."""

    folder: Path
    layout: str = "auto"
    group: str | None = None
    exclude_classes: Sequence[str] = ()
    exclude_files: Sequence[str] = ()


@dataclass(frozen=True)
class TrainingCopies:
    """External images that the model was trained on.

    Attributes
    ----------
    kinds : dict of str to str
        Path of each -> ``"identical file"``, or ``"near-duplicate"``: in a group of copies with a training image.
    pairs : DataFrame
        Of copies among training and external images, those that only look alike included; see
        `leukobench.audit.copies.find_copies`.
    compared : frozenset of str
        Ids of the training images whose files could still be read.
    relabelled : int
        Copies whose training image has another label.
    """

    kinds: dict[str, str]
    pairs: pd.DataFrame
    compared: frozenset[str]
    relabelled: int = 0

    def count(self, kind: str) -> int:
        """How many are of a kind."""
        return sum(own == kind for own in self.kinds.values())


@dataclass(frozen=True)
class ExternalImages:
    """Images that are scored, and what became of the others.

    Attributes
    ----------
    index : ImageIndex
        Copies of training images are among them.
    classes : ClassMap
    measurements : ndarray of float32, shape (len(index), numbers)
        Memory-mapped.
    names : list of str
        Of its columns.
    copies : TrainingCopies
    left_out : dict of str to int
        Unmapped class -> images.
    """

    index: ImageIndex
    classes: ClassMap
    measurements: NDArray[np.float32]
    names: list[str]
    copies: TrainingCopies
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def new(self) -> NDArray[np.bool_]:
        """Rows of images that are no copies of training images."""
        return ~self.index.images["path"].isin(self.copies.kinds).to_numpy()


def check_source(source: ImageSource, of_model: Sequence[str], text: str | None) -> ClassMap:
    """Map the classes before any image is opened, and refuse images that no interval could be computed from.

    Raises
    ------
    ImagesError, ConfigurationError
        There is no image, no class is one of the model, or all images are of one patient.
    """
    files = find_files(source.folder)
    files, listing, _ = read_layout(files, source.layout, source.exclude_classes, source.exclude_files)
    if source.group:
        listing = regroup(listing, compile_group(source.group), files.folder)
    if not listing.rows:
        raise ImagesError(
            f"There is no labelled image in {source.folder}.",
            expected="folders that are called like the classes, or a manifest with the columns path and label",
            received=f"{len(files.images) + len(files.refused):,} files, of which none has a label",
            fix="correct the path, or name the layout with --layout.",
        )
    classes = map_classes(sorted({row.label for row in listing.rows}), of_model, text)
    patients = {row.patient or row.path for row in listing.rows if row.label in classes.labels}
    if len(patients) < 2:
        raise ImagesError(
            "The images are all of one patient.",
            expected="images of two patients or more, so that an interval can be computed",
            received=f"{sum(row.label in classes.labels for row in listing.rows):,} images of {', '.join(patients)}",
            fix="add images of other patients, or correct --group.",
        )
    return classes


def read_external(
    source: ImageSource, classes: ClassMap, training: pd.DataFrame, workspace: Workspace
) -> ExternalImages:
    """Find, measure and compare the images; what is not scored goes to the ledger.

    Parameters
    ----------
    source : ImageSource
    classes : ClassMap
        From `check_source`.
    training : DataFrame
        image_id of the training images; label (of the classes that are scored) and path, '' where they are not known.
    workspace : Workspace
    """
    index = _find(source, classes, workspace)
    readable = _readable(training, workspace)
    with KeypointFile(workspace.folder.matrix("measurements").parent) as keypoints:
        known, index, measurements, names = _measure(index, readable, keypoints, workspace)
        both = _together(known, index)
        with count_progress(workspace.progress, COMPARING) as report:
            prints = fingerprints_of(measurements, names)
            fresh = np.arange(len(both)) >= len(known)
            pairs = find_copies(both, prints, keypoints, report, workspace.executor, fresh)
    trained_on = _training_copies(pairs, known, index, training)
    index, used = _without_conflicts(index, pairs)
    if not len(index):
        raise ImagesError(
            f"No image in {source.folder} can be scored.",
            expected="images that decode, of one label each",
            received="; ".join(sorted(set(index.ledger["reason"]))[:3]),
            fix="look at the reasons, and correct the images or the labels.",
        )
    rows = np.concatenate([np.zeros(len(known), dtype=bool), used])
    kept = {path: kind for path, kind in trained_on.kinds.items() if path in set(index.images["path"])}
    left_out = index.ledger["reason"].str.extract(r"^class that the model does not have: (.*)$")[0].value_counts()
    counts = {str(name): int(count) for name, count in left_out.items()}
    return ExternalImages(index, classes, measurements[rows], names, replace(trained_on, kinds=kept), counts)


def _find(source: ImageSource, classes: ClassMap, workspace: Workspace) -> ImageIndex:
    with count_progress(workspace.progress, IDENTIFYING) as report:
        index = index_images(
            source.folder, source.layout, source.group, report, source.exclude_classes, source.exclude_files
        )
    for sentence in index.warnings:
        _log.warning("%s", sentence)
    foreign = index.images[~index.images["label"].isin(list(classes.labels))]
    reasons = {path: f"class that the model does not have: {label}" for path, label in _pairs(foreign, "path", "label")}
    index = index.without(reasons)
    labels = index.images["label"].map(classes.labels).astype("str")
    return replace(index, images=index.images.assign(source_label=index.images["label"], label=labels))


def _pairs(table: pd.DataFrame, one: str, other: str) -> zip[tuple[str, str]]:
    return zip(table[one], table[other], strict=True)


def _readable(training: pd.DataFrame, workspace: Workspace) -> pd.DataFrame:
    """Training images whose files are as they were."""
    training = training[training["path"] != ""]
    files = list(_pairs(training, "image_id", "path"))

    def unchanged(file: tuple[str, str]) -> bool:
        return image_id_of(file[1])[0] == file[0]

    unchanged_files = []
    progress = workspace.progress("looking for training images", len(files))
    threads = reading_threads(files[0][1], workspace.workers) if files else 1
    with progress as advance, ThreadPoolExecutor(threads) as pool:
        for one in pool.map(unchanged, files):
            unchanged_files.append(one)
            advance(1)
    return training.loc[np.array(unchanged_files, dtype=bool), ["image_id", "label", "path"]].reset_index(drop=True)


def _together(training: pd.DataFrame, index: ImageIndex) -> pd.DataFrame:
    import pandas as pd

    columns = ["image_id", "label", "path"]
    return pd.concat([training[columns], index.images[columns]], ignore_index=True).assign(patient="")


def _measure(
    index: ImageIndex, training: pd.DataFrame, keypoints: KeypointFile, workspace: Workspace
) -> tuple[pd.DataFrame, ImageIndex, NDArray[np.float32], list[str]]:
    """Both without what does not decode, and the measurements of the others, training images first."""
    cache, target = FeatureCache.shared(SimpleMeasurements.identity), workspace.folder.matrix("measurements")
    files = [*_pairs(training, "image_id", "path"), *index.files()]
    with workspace.progress(MEASURING, len(pending(files, cache))) as advance:
        refused = extract_to(target, SimpleMeasurements(keypoints), files, cache, workspace.workers, advance)
    training = training[~training["image_id"].isin(list(refused))].reset_index(drop=True)
    own = {image_id: reason for image_id, reason in refused.items() if image_id in set(index.images["image_id"])}
    return training, index.without(own), np.load(target, mmap_mode="r"), cache.feature_names()


def _training_copies(
    pairs: pd.DataFrame, readable: pd.DataFrame, index: ImageIndex, training: pd.DataFrame
) -> TrainingCopies:
    """Copies that are sure: a verified pair with a training image, or with a group of copies that holds one."""
    trained = dict(_pairs(training, "image_id", "label"))
    own = index.images
    both = _together(readable, index)
    grouped = group_pairs(pairs.assign(decision=""), both)
    keys = clusters_of(grouped, both)
    of_training = {key for key in keys[: len(readable)] if key}
    sides = set(readable["image_id"])
    sure = pairs[pairs["kind"].isin(_SURE)]
    direct = {
        one for first, second in _pairs(sure, "image_id_a", "image_id_b") for one in (first, second)
        if (first in sides) != (second in sides)
    }  # fmt: skip
    kinds = {}
    for image_id, path, key in zip(own["image_id"], own["path"], keys[len(readable) :], strict=True):
        if image_id in trained:
            kinds[path] = KINDS[0]
        elif key in of_training or image_id in direct:
            kinds[path] = KINDS[2]
    return TrainingCopies(kinds, pairs, frozenset(sides), _relabelled(keys, readable, own, trained))


def _relabelled(keys: Sequence[str], readable: pd.DataFrame, own: pd.DataFrame, trained: Mapping[str, str]) -> int:
    """Copies whose training images have other labels."""
    labels: dict[str, set[str]] = {}
    for key, label in zip(keys, readable["label"], strict=False):
        labels.setdefault(key, set()).add(label)
    count = 0
    for image_id, label, key in zip(own["image_id"], own["label"], keys[len(readable) :], strict=True):
        of_training = {trained[image_id]} if image_id in trained else labels.get(key, set()) if key else set()
        count += bool(of_training - {""}) and label not in of_training
    return count


def _without_conflicts(index: ImageIndex, pairs: pd.DataFrame) -> tuple[ImageIndex, NDArray[np.bool_]]:
    """Copies among the images in one group; without those that have several labels, and which are kept."""
    inside = set(index.images["path"])
    own = pairs[pairs["path_a"].isin(inside) & pairs["path_b"].isin(inside)].assign(decision="")
    own = group_pairs(own, index.images)
    conflicts = labels_in_conflict(own, index.images)
    used = np.array([not labels for labels in conflicts], dtype=bool)
    index = index.with_copies(clusters_of(own, index.images))
    reasons = {
        path: f"copies of it have several labels: {labels}"
        for path, labels in zip(index.images["path"], conflicts, strict=True) if labels
    }  # fmt: skip
    return index.without(reasons), used
