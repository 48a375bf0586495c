"""The protocol in words: what every number of a run stands under."""

from __future__ import annotations

from collections.abc import Mapping

from ..config import Evaluation
from ..images.index import ImageIndex


def protocol(index: ImageIndex, evaluation: Evaluation, extractors: Mapping[str, str]) -> list[str]:
    """Lines that go above a leaderboard and under a figure.

    Parameters
    ----------
    index : ImageIndex
        Without the images that did not decode.
    evaluation : Evaluation
    extractors : mapping
        Label of each extractor -> its weights and engine, in words.
    """
    return [_images(index), _groups(index), _evaluation(evaluation), *_extractors(extractors)]


def _images(index: ImageIndex) -> str:
    counts = index.counts()["images"]
    classes = ", ".join(f"{label} {count:,}" for label, count in counts.items())
    ledger = f"; files not used: {len(index.ledger):,} (ledger.parquet)" if len(index.ledger) else ""
    return f"{len(index):,} images in {len(counts)} classes: {classes}; layout {index.layout}{ledger}"


def _groups(index: ImageIndex) -> str:
    copies = len(index) - index.images["image_id"].nunique()
    kept = f"; {copies:,} identical copies kept on one side of every split" if copies else ""
    if index.patients == "none":
        return f"IMAGE-LEVEL, OPTIMISTIC: no patients known, so images of one patient may stand on both sides{kept}"
    known = index.images.loc[index.images["patient"] != "", "patient"]
    if len(known) < len(index):
        unknown = f"{len(index) - len(known):,} of {len(index):,} images have no patient ({index.patients})"
        return f"PARTLY IMAGE-LEVEL, OPTIMISTIC: {unknown}; the others keep to one side of every split{kept}"
    patients = known.nunique()
    if patients == index.images["image_id"].nunique():
        return f"IMAGE-LEVEL, OPTIMISTIC: every image has a patient of its own ({index.patients}): is that true?{kept}"
    return f"patient-level: {patients:,} patients ({index.patients}), each on one side of every split{kept}"


def _evaluation(said: Evaluation) -> str:
    repeats = f" x {said.repeats} repeats" if said.repeats > 1 else ""
    balance = "" if said.balance == "none" else f"; {said.balance.replace('_', ' ')} inside each training fold"
    folds = f"{said.folds} stratified folds{repeats}, seed {said.seed}"
    return f"{folds}; everything is fitted inside the training fold{balance}"


def _extractors(extractors: Mapping[str, str]) -> list[str]:
    return [f"{label}: {what}" for label, what in extractors.items()]
