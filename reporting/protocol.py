"""The protocol in words: the images, groups, folds and weights that every number of a run comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..audit.corrections import LEAVE_OUT
from ..config.experiment import Evaluation
from ..errors import visible
from ..images.index import ImageIndex
from ..images.splits import given_folds
from ..runs.answer import Groups
from .split_words import split_words

_SHOWN = 5


def protocol(
    index: ImageIndex,
    evaluation: Evaluation,
    extractors: Mapping[str, str],
    tuning: str,
    sealed: int = 0,
    validation: int = 0,
) -> list[str]:
    """Lines that go above a leaderboard and under a figure.

    Parameters
    ----------
    index : ImageIndex
        Without the images that did not decode.
    evaluation : Evaluation
    extractors : mapping
        Label of each extractor -> its weights and engine, in words.
    tuning : str
        How parameters are searched; a choice may be searched although the evaluation tunes none.
    sealed : int
        Images in the sealed holdout, or in a given test part.
    validation : int
        Images that are only tuned on.
    """
    given = evaluation.split == "given" and bool(given_folds(index.images))
    lines = [_images(index), groups(index).words, _evaluation(evaluation, tuning, given)]
    if evaluation.split == "given":
        lines[-1] += split_words(index.images, evaluation, sealed, validation)
    elif sealed:
        whole = sealed + len(index)
        lines[-1] += f"; {sealed:,} of {whole:,} images ({sealed / whole:.0%}) sealed as a holdout, for one final test"
    lines += [f"{label}: {description}" for label, description in extractors.items()]
    first = f"tables and figures are those of the first of {evaluation.permutations} permutations"
    permuted = f"PERMUTED LABELS: a sanity check, scores must drop to chance; {first}"
    return [permuted, *lines] if evaluation.permute else lines


def groups(index: ImageIndex) -> Groups:
    """Where the groups come from."""
    kept = _copies(index)
    patient = index.images["patient"]
    named = patient[patient != ""]
    if index.pseudo:
        count = f"{index.group.max() + 1:,} groups from {index.patients}, each on one side of every split"
        return Groups("pseudo", f"PSEUDO-PATIENTS, a stress test: {count}; real patients are not known{kept}")
    if index.patients == "none" or not len(named):
        words = "no patients known, so images of one patient may be on both sides"
        return Groups("none", f"IMAGE-LEVEL, OPTIMISTIC: {words}{kept}")
    if len(named) < len(index):
        unknown = f"{len(index) - len(named):,} of {len(index):,} images have no patient ({index.patients})"
        words = f"{unknown}; all others are on one side of every split"
        return Groups("partly", f"PARTLY IMAGE-LEVEL, OPTIMISTIC: {words}{kept}")
    patients = named.nunique()
    if patients == index.images["image_id"].nunique():
        words = f"every image has a different patient ({index.patients}): please check"
        return Groups("none", f"IMAGE-LEVEL, OPTIMISTIC: {words}{kept}")
    words = f"patient-level: {patients:,} patients ({index.patients}), each on one side of every split{kept}"
    return Groups("patients", words + _mixed_patients(index))


def patients_of(index: ImageIndex) -> list[str] | None:
    """A patient for each image, where groups are patients."""
    return index.images["patient"].tolist() if groups(index).kind == "patients" else None


def _mixed_patients(index: ImageIndex) -> str:
    """Patients who cannot be scored as patients, by name."""
    labels = index.images.groupby("patient")["label"].nunique()
    names = labels.index[(labels > 1) & (labels.index != "")].tolist()
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    listed = ", ".join(map(visible, names[:_SHOWN])) + more
    has, a_patient = (
        ("has", "is not scored as a patient") if len(names) == 1 else ("have", "are not scored as patients")
    )
    return f"; {len(names):,} of them {has} images of several labels and {a_patient}: {listed}"


def _images(index: ImageIndex) -> str:
    counts = index.counts()["images"]
    classes = ", ".join(f"{label} {count:,}" for label, count in counts.items())
    ledger = f"; files not used: {len(index.unused):,} (ledger.parquet)" if len(index.unused) else ""
    return f"{len(index):,} images in {len(counts)} classes: {classes}; layout {index.layout}{ledger}"


def _copies(index: ImageIndex) -> str:
    identical = len(index) - index.images["image_id"].nunique()
    keys = index.images["copies"] if "copies" in index.images else index.images["image_id"].iloc[:0]
    alike = keys[keys != ""]
    near = len(alike) - alike.nunique() - identical
    counts = {"identical": identical, "near-duplicate": near}
    words = " and ".join(f"{count:,} {kind}" for kind, count in counts.items() if count > 0)
    return f"; {words} copies kept on one side of every split" if words else ""


def _evaluation(evaluation: Evaluation, tuning: str, given: bool) -> str:
    repeats = f" x {evaluation.repeats} repeats" if evaluation.repeats > 1 else ""
    order = f"seed {evaluation.seed}" if evaluation.shuffle else "in the order of the images"
    drawn = f"{evaluation.folds} stratified folds{repeats}, {order}"
    parts = [f"{evaluation.folds} given folds" if given else drawn, "everything is fitted inside the training fold"]
    if evaluation.balance != "none":
        parts.append(f"{evaluation.balance.replace('_', ' ')} inside each training fold")
    if evaluation.calibration != "as_needed":
        parts.append(f"probabilities by {evaluation.calibration} calibration on inner folds")
    if tuning != "none":
        budget = f", {evaluation.budget} candidates" if tuning == "optuna" else ""
        parts.append(f"parameters tuned on inner folds ({tuning}{budget})")
    return "; ".join(parts)


def corrections_line(table: Path | None, index: ImageIndex) -> str:
    """A line where a person corrected labels; '' where none did."""
    if table is None:
        return ""
    left_out = int(index.ledger["reason"].str.startswith(f"{LEAVE_OUT} (").sum())
    counts = f"labels corrected: {len(index.corrected):,}; images left out: {left_out:,}"
    return f"by {table.name}, {counts} (ledger.parquet)"


def copies_line(copies: str | Path) -> str:
    """What was done with copies, where they are not simply grouped; '' where they are."""
    if isinstance(copies, Path):
        return f"copies grouped as {copies.name} decides (audit/copies.parquet has the decisions)"
    return {
        "list": "COPIES NOT GROUPED: copies other than identical files may be on both sides of a split",
        "off": "COPIES NOT LOOKED FOR: copies other than identical files may be on both sides of a split",
    }.get(copies, "")


def opened_line(opened: str, given: bool = False) -> str:
    """The line with every table of a run whose holdout, drawn or given, was opened."""
    return f"{'GIVEN TEST PART' if given else 'HOLDOUT'} OPENED on {opened}: later choices are not independent of it"
