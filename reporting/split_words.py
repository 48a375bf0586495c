"""A given split in words: its leaks, its test part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.experiment import Evaluation
from ..evaluation.metrics import metric_of
from ..images.splits import SPLIT, VALIDATION, part_of
from ..runs.answer import Groups
from ..runs.split_answer import GivenTest, Leaks

if TYPE_CHECKING:
    import pandas as pd

TABLE = "audit/leaks.csv"


def leak_warnings(leaks: Leaks) -> list[str]:
    """Sentences on what is in several parts of the split; none where nothing is."""
    lines = []
    if leaks.other_images:
        lines.append(_across(leaks))
    if leaks.validation_images:
        lines.append(
            f"{leaks.validation_images:,} images for training have their patient or a copy in the validation part "
            f"({TABLE}){_left_out(leaks)}."
        )
    if leaks.fold_images:
        what = (
            ": each fold leaves its own out of training"
            if leaks.drop
            else "; --drop-leaks leaves these out of training"
        )
        lines.append(
            f"{leaks.fold_images:,} images for training have their patient or a copy in another given fold "
            f"({TABLE}){what}."
        )
    return lines


def across_folds(source: Groups, leaks: Leaks | None) -> Groups:
    """Where the groups come from, as far as given folds keep them on one side."""
    if leaks is None or leaks.drop or not leaks.fold_images:
        return source
    crossed = f"given folds have patients or copies of {leaks.fold_images:,} images on both sides ({TABLE})"
    kept = source.words.replace("each on one side of every split", "not all on one side of every split")
    return Groups("none", f"OPTIMISTIC: {crossed}; {kept}")


def _across(leaks: Leaks) -> str:
    counts = [(leaks.patients, "patient", "patients"), (leaks.copies, "pair of copies", "pairs of copies")]
    what = " and ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count)
    verb = "is" if leaks.patients + leaks.copies == 1 else "are"
    return (
        f"LEAK: {what} {verb} in the given test part and in training: {leaks.test_images:,} test images, "
        f"{leaks.other_images:,} other images; first {'; '.join(leaks.names)} ({TABLE}){_left_out(leaks)}."
    )


def _left_out(leaks: Leaks) -> str:
    return ": left out of training" if leaks.drop else "; --drop-leaks leaves them out of training"


def split_words(images: pd.DataFrame, evaluation: Evaluation, sealed: int, validation: int) -> str:
    """What the given split does, behind the line of the protocol on the folds.

    Parameters
    ----------
    images : DataFrame
        That are cross-validated.
    evaluation : Evaluation
    sealed, validation : int
        Images of the test part, and those that are only tuned on.
    """
    words = [f"GIVEN SPLIT: {len(images):,} images for training, in which the folds lie"]
    if validation:
        words.append(
            f"{validation:,} for validation, which take the place of inner folds for tuning and early stopping"
        )
    elif SPLIT in images and (merged := int(images[SPLIT].map(part_of).eq(VALIDATION).sum())):
        words.append(f"{merged:,} of them are for validation, and trained on since nothing is tuned or stops early")
    if sealed:
        when = "never looked at with permuted labels" if evaluation.permute else "scored once the winner is chosen"
        words.append(f"{sealed:,} for the test, {when}")
    return f"; {'; '.join(words)}"


def test_words(test: GivenTest) -> str:
    """The test score of the best combination, and what speaks against taking it at its word."""
    metric = metric_of(test.metric)
    units = f"{test.groups:,} {'patients' if test.kind == 'patients' else 'groups'}"
    where = f"On the given test part, {test.images:,} images of {units} that no choice has seen"
    if test.value is None:
        return f"{where}, it has no score: the fit failed (test/notes.csv). Run again to try again."
    times = "opened once, after the choice" if test.look == 1 else f"LOOK {test.look} AT THESE IMAGES"
    score = f"{metric.title} {metric.with_interval(test.value, test.low, test.high)}"
    parts = [f"{where} ({times}, on {test.opened[:10]}), it reaches {score}."]
    if test.look > 1:
        parts = [parts[0].replace(" that no choice has seen", ""), "A choice made after an earlier look has seen them."]
    if test.unbeaten:
        parts.append(f"NOT BETTER THAN A SHORTCUT there: {', '.join(test.unbeaten)}.")
    if test.leaks.other_images and not test.leaks.drop:
        share = f"{test.leaks.test_images:,} of the {test.images:,} test images"
        parts.append(
            f"LEAK: {share} have their patient or a copy in training, so the score is too good by what these give "
            f"away ({TABLE}; --drop-leaks leaves them out of training)."
        )
    return " ".join(parts)
