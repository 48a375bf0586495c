"""From an experiment to what can be evaluated: images found and audited, copies grouped, features extracted."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .audit.copies import clusters_of, find_copies
from .audit.differences import class_differences
from .audit.sheets import draw_sheets
from .audit.summary import summarise
from .classifiers import CLASSIFIERS
from .classifiers.large_data import VARIANTS, give_way
from .config.choice import Choice
from .config.experiment import Evaluation, Experiment
from .errors import ConfigurationError, EngineError, ExtractionError, ImagesError
from .evaluation.folds import splits
from .evaluation.grid import Combination, FeatureSource
from .evaluation.methods import Method, make_method
from .evaluation.task import Task
from .features.cache import FeatureCache
from .features.extraction import compute, extract_to, pending
from .features.extractors import Extractor, Together, together
from .features.simple_measurements import SimpleMeasurements, columns
from .images.facts import file_facts
from .images.index import ImageIndex, index_images
from .images.pseudo_patients import blocks, stain_clusters
from .runs.folder import RunFolder
from .runs.progress import Progress, counted
from .selection import SELECTORS
from .storage import cache_folder, digest

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
IDENTIFYING, LOOKING, COMPARING = "identifying images", "looking at every image", "comparing images"
FITTING, TRAINING, WEIGHING = "fitting combinations", "training networks", "weighing the scores"
"""Stages of a run, beside those of extraction."""
_SHEETS = 4
_SEALED_PARTS = 10
_MOST_GROUPS = 0.8
_TEXTS = ("format", "mode", "JPEG subsampling", "maker", "model", "software", "taken")
_SHORTCUTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("majority class", "colour", "sklearn.dummy.DummyClassifier", {}),
    ("file facts", "file", "svm_rbf", {"scale": True}),
    ("colour", "colour", "svm_rbf", {"scale": True}),
    ("border", "border", "svm_rbf", {"scale": True}),
)
"""Name, columns of the measurements, classifier and its parameters."""
_AS_IT_IS = "sklearn.preprocessing.FunctionTransformer"
"""Selector of the shortcuts: facts that are the same for all files decide nothing, which is a result."""


@dataclass(frozen=True)
class Audited:
    """What the audit leaves.

    Attributes
    ----------
    index : ImageIndex
        Without the images that do not decode; copies are grouped.
    measurements : ndarray of float32, shape (len(index), numbers)
        Memory-mapped; see `SimpleMeasurements`.
    names : list of str
        Of its columns.
    summary : dict
        Counts and words; see `summarise`.
    """

    index: ImageIndex
    measurements: np.ndarray
    names: list[str]
    summary: dict[str, Any]

    def split(self, sealed: np.ndarray) -> tuple[Audited, ImageIndex]:
        """Leave out the rows where `sealed` is true; they come second."""
        index, held = self.index.split(sealed)
        return Audited(index, self.measurements[~sealed], self.names, self.summary), held


def find_images(experiment: Experiment, folder: RunFolder, progress: Progress) -> ImageIndex:
    """Every image by its bytes; nothing is decoded yet, and nothing checked but that the run is of these images.

    Raises
    ------
    ImagesError, ConfigurationError
    """
    said = experiment.images
    with counted(progress, IDENTIFYING) as report:
        index = index_images(said.folder, said.layout, said.group, report)
    _warn_of_ledger(index)
    folder.refuse_other_images(str(said.folder), index.digest())
    _log.info("Found %s images.", f"{len(index):,}", extra={"facts": {"not_used": len(index.ledger)}})
    return index


def audit_images(
    experiment: Experiment, index: ImageIndex, folder: RunFolder, workers: int, progress: Progress
) -> Audited:
    """Look once at every image: copies and differences between the classes; writes ``audit/`` of the run.

    Raises
    ------
    ImagesError, ConfigurationError
        No image can be read, or pseudo-patients make no sense for these.
    """
    measurements = SimpleMeasurements()
    cache = FeatureCache(cache_folder() / "features", measurements.identity)
    target = folder.matrix("measurements")
    with progress(LOOKING, len(pending(index.files(), cache))) as advance:
        refused = extract_to(target, measurements, index.files(), cache, workers, advance)
    if refused:
        index = index.without(refused)
        _warn_of_ledger(index)
    matrix, names = np.load(target, mmap_mode="r"), cache.feature_names()
    copies = _find_copies(index, matrix[:, columns(names, "fingerprint")], folder, workers, progress)
    index = index.with_copies(clusters_of(copies, index.images))
    facts = _facts(index, matrix, names)
    differences = class_differences(facts, index.images["label"].to_numpy())
    folder.write_table("audit/differences.csv", differences)
    summary = summarise(index.images, copies, differences)
    for line in summary["warnings"]:
        _log.warning("%s", line)
    index = _regroup(experiment, index, matrix[:, columns(names, "colour")])
    folder.write_table("ledger.parquet", index.ledger)
    return Audited(index, matrix, names, summary)


def _find_copies(
    index: ImageIndex, fingerprints: np.ndarray, folder: RunFolder, workers: int, progress: Progress
) -> pd.DataFrame:
    with counted(progress, COMPARING) as report:
        copies = find_copies(index.images, fingerprints, report, workers)
    folder.write_table("audit/copies.parquet", copies)
    draw_sheets(copies, folder.path / "audit" / "sheets", _SHEETS)
    return copies


def _facts(index: ImageIndex, matrix: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """File facts and colours by name; facts that are texts are read again from one file each."""
    import pandas as pd

    wanted = [p for p, name in enumerate(names) if name.startswith(("file.", "colour."))]
    table = pd.DataFrame(matrix[:, wanted], columns=[names[p].removeprefix("file.") for p in wanted])
    for name in _TEXTS:
        codes, first = np.unique(table[name], return_index=True)
        texts = [str(file_facts(Path(path).read_bytes())[name]) for path in index.images["path"].iloc[first]]
        table[name] = table[name].map(dict(zip(codes, texts, strict=True)))
    return table


def _regroup(experiment: Experiment, index: ImageIndex, colours: np.ndarray) -> ImageIndex:
    said = experiment.images.pseudo_patients
    if said is None:
        return index
    if (known := int((index.images["patient"] != "").sum())) > 0:
        raise ConfigurationError(
            "Pseudo-patients would put real patients on both sides of a split.",
            expected="images of which no patient is known",
            received=f"{known:,} of {len(index):,} images have a patient ({index.patients})",
            mend="leave out images.pseudo_patients.",
        )
    if said.blocks:
        words = f"blocks of {said.blocks} consecutive file numbers"
        made = index.with_pseudo_patients(blocks(index.images, said.blocks), words)
    else:
        words = f"{said.stain} clusters of stain a class"
        made = index.with_pseudo_patients(stain_clusters(index.images, colours, said.stain or 0), words)
    if (count := len(np.unique(made.group))) > _MOST_GROUPS * len(np.unique(index.group)):
        raise ConfigurationError(
            "Pseudo-patients that are single images test nothing.",
            expected=f"{words} that hold several images each",
            received=f"{count:,} groups of {len(index):,} images",
            mend="larger blocks (file names need numbers), or fewer clusters.",
        )
    return made


def sealed_rows(index: ImageIndex, part: float, seed: int) -> np.ndarray:
    """Rows of the sealed holdout, bool: whole groups, `part` of them, every class among them where that is possible."""
    rows = np.zeros(len(index), dtype=bool)
    if part:
        labels = np.unique(index.images["label"], return_inverse=True)[1].astype(np.int64)
        share = Fraction(part).limit_denominator(min(_SEALED_PARTS, len(np.unique(index.group))))
        drawn = splits(labels, index.group, max(2, share.denominator), seed)
        for _, held in islice(drawn, max(1, share.numerator)):
            rows[held] = True
    return rows


def shortcut_baselines(audited: Audited, folder: RunFolder, evaluation: Evaluation) -> list[Combination]:
    """What needs no diagnosis: the majority class, and file facts, colours or border alone."""
    identity = digest(dict(SimpleMeasurements.identity))
    made = []
    for name, prefix, selector, classifier in shortcut_methods(evaluation, len(audited.index)):
        target = folder.matrix(f"shortcut-{name.replace(' ', '-')}")
        np.save(target, audited.measurements[:, columns(audited.names, prefix)])
        source = FeatureSource(f"shortcut: {name}", target, digest([identity, prefix]))
        made.append(Combination(source, selector, classifier, "shortcut"))
    return made


def shortcut_methods(evaluation: Evaluation, images: int) -> Iterator[tuple[str, str, Method, Method]]:
    """Name of each shortcut, prefix of its columns of the measurements, selector and classifier, for so many images."""
    seed, weighted = evaluation.seed, evaluation.balance == "class_weight"
    none = make_method(SELECTORS, _AS_IT_IS, {}, "none", seed)
    large = give_way(evaluation.large_data, images)
    for name, prefix, usual, parameters in _SHORTCUTS:
        classifier = VARIANTS.get(usual, usual) if large else usual
        shipped = CLASSIFIERS.ships(classifier)
        label = Choice(name=classifier, parameters=parameters).label if shipped else name
        yield name, prefix, none, make_method(CLASSIFIERS, classifier, parameters, label, seed, weighted and shipped)


def extract(
    extractors: Mapping[str, Extractor], index: ImageIndex, folder: RunFolder, workers: int, progress: Progress
) -> list[FeatureSource]:
    """Features of every image; an extractor that fails fails alone.

    Raises
    ------
    ImagesError
        Images went bad since the audit looked at them.
    """
    for group in together(extractors.values()):
        _extract_together(group, index, workers, progress)
    sources = []
    for position, (label, extractor) in enumerate(extractors.items()):
        cache = FeatureCache(cache_folder() / "features", extractor.identity)
        missing, error, target = len(pending(index.files(), cache)), "", folder.matrix(str(position))
        try:
            with progress(_stage(label), missing) as advance:
                _refuse(extract_to(target, extractor, index.files(), cache, workers, advance))
            _log.info("Features of %s: %s images computed, the rest cached.", label, f"{missing:,}")
        except (ExtractionError, EngineError) as failure:
            error = str(failure)
            _log.warning("All combinations with %s fail. %s", label, error)
        sources.append(FeatureSource(label, target, digest(dict(extractor.identity)), error))
    return sources


def _extract_together(group: Together, index: ImageIndex, workers: int, progress: Progress) -> None:
    """Compute, in one pass, the images that all members of `group` lack; what fails here is tried again alone."""
    caches = [FeatureCache(cache_folder() / "features", member.identity) for member in group.members]
    known = set.union(*(cache.known() for cache in caches))
    missing = list({name: (name, path) for name, path in index.files() if name not in known}.values())
    try:
        with progress(_stage(group), len(missing)) as advance:
            compute(missing, group, caches, workers, {}, advance)
    except (ExtractionError, EngineError) as failure:
        _log.warning("Not in one pass, but one after the other: %s", failure)
    else:
        if missing:
            _log.info("Features of %s in one pass: %s images.", group.members[0].network.name, f"{len(missing):,}")


def _stage(extracting: str | Together) -> str:
    if isinstance(extracting, Together):
        poolings = ", ".join(member.pooling for member in extracting.members)
        return f"extracting {extracting.members[0].network.name} ({poolings})"
    return f"extracting {extracting}"


def outstanding(extractors: Mapping[str, Extractor], index: ImageIndex) -> dict[str, int]:
    """How many images the look at all of them, and each stage of `extract`, have to compute."""
    files, root = index.files(), cache_folder() / "features"
    found = {LOOKING: len(pending(files, FeatureCache(root, SimpleMeasurements.identity)))}
    caches = {label: FeatureCache(root, extractor.identity) for label, extractor in extractors.items()}
    lacking = {label: {name for name, _ in pending(files, cache)} for label, cache in caches.items()}
    for group in together(extractors.values()):
        members = [label for label, extractor in extractors.items() if extractor in group.members]
        shared = set.intersection(*(lacking[label] for label in members))
        found[_stage(group)] = len(shared)
        for label in members:
            left = lacking.pop(label) - shared
            found |= {_stage(label): len(left)} if left else {}
    return found | {_stage(label): len(names) for label, names in lacking.items()}


def make_task(index: ImageIndex) -> Task:
    """Ids, labels and groups of the index, with patients and copies to be checked before each fit."""
    images = index.images
    guards = {name: images[name].tolist() for name in ("patient", "copies") if name in images}
    return Task.of(images["image_id"].tolist(), images["label"].tolist(), index.group.tolist(), guards)


def _refuse(refused: Mapping[str, str]) -> None:
    if refused:
        image_id, reason = next(iter(refused.items()))
        raise ImagesError(
            f"{len(refused)} images went bad while the run worked.",
            received=f"first: image {image_id[:12]}: {reason}",
            mend="leave the folder as it is during a run, and run the same command again.",
        )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _warn_of_ledger(index: ImageIndex) -> None:
    if len(index.ledger):
        reasons = index.ledger["reason"].value_counts()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.head(5).items())
        _log.warning(
            "Files not used: %s (%s). Each one stands in the run's ledger.parquet.", f"{len(index.ledger):,}", listed
        )
