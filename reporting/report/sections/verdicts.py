"""What to know first: boxes on shortcuts, patients, copies, and chance where labels were permuted."""

from __future__ import annotations

from ....runs.answer import Answer, Duplicates, ShortcutVerdict
from ....runs.finished import FinishedRun
from ....runs.split_answer import GivenTest
from ...verdicts import VERDICTS, reaches
from ..numbers import as_number, score_text
from ..section import Section, View, fragment

_GROUPS = {
    "patients": ("good", "Patient-level", "No patient is on both sides of a fold."),
    "partly": ("warn", "Partly image-level", "Some images have no patient: expect lower scores on new patients."),
    "none": ("warn", "Image-level, optimistic", "Images of one patient may be in both training and test."),
    "pseudo": ("warn", "Pseudo-patients", "A stress test with artificial groups: real patients are not known."),
}
_LEAKING = "Their patient or a copy is in training, too: the score is too good."
_LOOKED_AT = "A choice made after an earlier look has seen them."


def section(run: FinishedRun) -> Section | None:
    """All of them in one grid above the contents."""
    return Section("", fragment("verdicts", verdicts=verdicts(run.answer)), nav="")


def verdicts(answer: Answer) -> list[View]:
    """Boxes on shortcuts, groups and copies, and on chance where labels were permuted."""
    boxes = []
    if answer.chance:
        state, word = ("good", "At chance") if answer.chance.at_chance else ("bad", "Above chance")
        boxes.append(_box("Permuted labels", state, word, answer.chance.words))
    if answer.shortcut and answer.best:
        boxes.append(shortcut_box(answer.shortcut, answer.best.metric, answer.best.value))
    split = [_split(answer.test)] if answer.test else []
    return [*boxes, *split, groups_box(answer.groups.kind), _copies(answer.duplicates)]


def shortcut_box(shortcut: ShortcutVerdict, metric: str, best: float) -> View:
    """Whether the best combination, whose `metric` is `best`, beats every shortcut."""
    verdict = VERDICTS[shortcut.verdict]
    reached, top = score_text(metric, shortcut.value), score_text(metric, best)
    against = f"{reaches(shortcut)} {reached}, the best combination {top}."
    return _box("Shortcuts", verdict.state, verdict.title, f"{verdict.text}: {against}")


def groups_box(kind: str) -> View:
    """What the groups are worth; see `Groups`."""
    return _box("Patients", *_GROUPS[kind])


def _split(test: GivenTest) -> View:
    """Whether the given test part is on its own, and looked at for the first time."""
    score = f"{score_text(test.metric, as_number(test.value))} on {test.images:,} images of {test.groups:,} groups."
    if test.leaks.other_images and not test.leaks.drop:
        return _box("Given test part", "bad", f"{test.leaks.test_images:,} images leak", f"{score} {_LEAKING}")
    if test.look > 1:
        return _box("Given test part", "warn", f"Look {test.look}", f"{score} {_LOOKED_AT}")
    return _box("Given test part", "good", "Opened once", f"{score} It took no part in the choice.")


def _copies(duplicates: Duplicates) -> View:
    conflicts, pairs, alike = duplicates.label_conflicts, duplicates.pairs, duplicates.looks_alike
    if conflicts:
        state, word = "bad", f"{conflicts:,} under more than one label"
    elif duplicates.setting == "off":
        state, word = "warn", "Not looked for"
    elif pairs:
        state, word = (
            ("note", f"{pairs:,} pairs") if duplicates.setting == "group" else ("warn", f"{pairs:,} not grouped")
        )
    else:
        state, word = ("note", f"{alike:,} pairs look alike") if alike else ("good", "None found")
    return _box("Copies of images", state, word, duplicates.words)


def _box(about: str, state: str, word: str, text: str) -> View:
    return {"about": about, "state": state, "word": word, "text": text}
