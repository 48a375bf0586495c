"""The protocol in words: what every number of a run stands under."""

from __future__ import annotations

from collections.abc import Mapping

from ..config.experiment import Evaluation
from ..images.index import ImageIndex


def protocol(index: ImageIndex, evaluation: Evaluation, extractors: Mapping[str, str], tuning: str) -> list[str]:
    """Lines that go above a leaderboard and under a figure.

    Parameters
    ----------
    index : ImageIndex
        Without the images that did not decode.
    evaluation : Evaluation
    extractors : mapping
        Label of each extractor -> its weights and engine, in words.
    tuning : str
        How parameters are searched; a choice may ask for that although the evaluation does not.
    """
    warned = ["PERMUTED LABELS: a check of the method, every score has to come out at chance"] * evaluation.permute
    return [*warned, _images(index), groups(index)[1], _evaluation(evaluation, tuning), *_extractors(extractors)]


def groups(index: ImageIndex) -> tuple[str, str]:
    """Where the groups come from: ``"patients"``, ``"partly"``, ``"none"`` or ``"pseudo"``; and the same in words."""
    kept = _copies(index)
    patient = index.images["patient"]
    known = patient[patient != ""]
    if index.pseudo:
        made = f"{index.group.max() + 1:,} groups from {index.patients}, each on one side of every split"
        return "pseudo", f"PSEUDO-PATIENTS, a stress test: {made}; real patients are not known{kept}"
    if index.patients == "none" or not len(known):
        words = "no patients known, so images of one patient may stand on both sides"
        return "none", f"IMAGE-LEVEL, OPTIMISTIC: {words}{kept}"
    if len(known) < len(index):
        unknown = f"{len(index) - len(known):,} of {len(index):,} images have no patient ({index.patients})"
        return "partly", f"PARTLY IMAGE-LEVEL, OPTIMISTIC: {unknown}; the others keep to one side of every split{kept}"
    count = known.nunique()
    if count == index.images["image_id"].nunique():
        words = f"every image has a patient of its own ({index.patients}): is that true?"
        return "none", f"IMAGE-LEVEL, OPTIMISTIC: {words}{kept}"
    return "patients", f"patient-level: {count:,} patients ({index.patients}), each on one side of every split{kept}"


def _images(index: ImageIndex) -> str:
    counts = index.counts()["images"]
    classes = ", ".join(f"{label} {count:,}" for label, count in counts.items())
    ledger = f"; files not used: {len(index.ledger):,} (ledger.parquet)" if len(index.ledger) else ""
    return f"{len(index):,} images in {len(counts)} classes: {classes}; layout {index.layout}{ledger}"


def _copies(index: ImageIndex) -> str:
    identical = len(index) - index.images["image_id"].nunique()
    keys = index.images["copies"] if "copies" in index.images else index.images["image_id"].iloc[:0]
    alike = keys[keys != ""]
    near = len(alike) - alike.nunique() - identical
    said = [f"{identical:,} identical" * bool(identical), f"{near:,} near-identical" * (near > 0)]
    words = " and ".join(word for word in said if word)
    return f"; {words} copies kept on one side of every split" if words else ""


def _evaluation(said: Evaluation, tuning: str) -> str:
    repeats = f" x {said.repeats} repeats" if said.repeats > 1 else ""
    order = f"seed {said.seed}" if said.shuffle else "in the order of the images"
    parts = [f"{said.folds} stratified folds{repeats}, {order}", "everything is fitted inside the training fold"]
    if said.balance != "none":
        parts.append(f"{said.balance.replace('_', ' ')} inside each training fold")
    if said.calibration != "as_needed":
        parts.append(f"probabilities by {said.calibration} calibration on inner folds")
    if tuning != "none":
        budget = f", {said.budget} candidates" if tuning == "optuna" else ""
        parts.append(f"parameters tuned on inner folds ({tuning}{budget})")
    if said.holdout:
        parts.append(f"{said.holdout:.0%} of the groups sealed away for one final look")
    return "; ".join(parts)


def _extractors(extractors: Mapping[str, str]) -> list[str]:
    return [f"{label}: {what}" for label, what in extractors.items()]


def opened_line(opened: str) -> str:
    """What stands over every table of a run whose holdout was opened."""
    return f"HOLDOUT OPENED on {opened}: what is chosen since then was not chosen blindly"
