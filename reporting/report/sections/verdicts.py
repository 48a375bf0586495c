"""The answer at a glance: a badge each on evidence, patients, copies, shortcuts, controls, external tests, and more."""

from __future__ import annotations

from collections.abc import Sequence

from ....runs.answer import Answer, Duplicates, ShortcutVerdict
from ....runs.control_answer import Control
from ....runs.external_answer import ExternalAnswer, external_answers
from ....runs.finished import FinishedRun
from ....runs.site_answer import Sites
from ....runs.split_answer import GivenTest
from ....runs.view_answer import Views
from ...controls import controls_verdict, share_text, subject_verb
from ...external_verdicts import VERDICTS as EXTERNAL
from ...site_words import SITE_VERDICTS
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
_LINKS = {
    "answer": "The answer in full", "leaderboard": "Leaderboard", "protocol": "Protocol", "audit": "Audit",
    "views": "What the score needs", "given_test": "Test part", "sites": "Across sites", "external": "External tests",
    "again": "How to test it",
}  # fmt: skip
"""Section with the evidence -> the text of its link."""
_NEEDS = {"untestable": "cannot be tested"}
_WORST_FIRST = ("bad", "warn", "note", "good")


def section(run: FinishedRun) -> Section | None:
    """All of them in one grid, first on the page."""
    badges = [*verdicts(run.answer), _external(run)]
    return Section("", fragment("verdicts", verdicts=badges), nav="")


def verdicts(answer: Answer) -> list[View]:
    """Badges on evidence, groups, copies, shortcuts, controls; on chance, test part and sites where there are any."""
    badges = []
    if answer.chance:
        state, word = ("good", "At chance") if answer.chance.at_chance else ("bad", "Above chance")
        badges.append(_badge("Permuted labels", state, word, answer.chance.words, "answer"))
    elif answer.best:
        badges.append(_evidence(answer.best_set, answer.best.picked_among))
    badges += [groups_box(answer.groups.kind), _copies(answer.duplicates)]
    if answer.shortcut and answer.best:
        badges.append(shortcut_box(answer.shortcut, answer.best.metric, answer.best.value, answer.views))
    if answer.best:
        badges += _controls(answer.controls, answer.best.metric, answer.best.value)
    badges += [_split(answer.test)] if answer.test else []
    return badges + ([_sites(answer.sites)] if answer.sites else [])


def _evidence(members: int, count: int) -> View:
    """Whether one fitted model is shown to be the best: what the confidence set says."""
    if count == 1:
        state, word, text = "note", "One combination", "There is nothing to compare it with."
    elif members == 1:
        state, word = "good", "One is the best"
        text = f"With 95 % confidence it is the best of these {count:,} fitted models."
    elif members == count:
        state, word, text = "note", "Any may be the best", f"None of these {count:,} fitted models is excluded."
    else:
        state, word = "note", f"Best is among {members:,}"
        text = f"Of {count:,} fitted models, {members:,} may be the best, with 95 % confidence."
    return _badge("Evidence", state, word, text, "leaderboard")


def shortcut_box(shortcut: ShortcutVerdict, metric: str, best: float, views: Views | None = None) -> View:
    """Whether the best combination, whose `metric` is `best`, beats every shortcut, and whether it needs one."""
    verdict = VERDICTS[shortcut.verdict]
    reached, top = score_text(metric, shortcut.value), score_text(metric, best)
    against = f"{reaches(shortcut)} {reached}, the best combination {top}."
    text, link = f"{verdict.text}: {against}", "leaderboard"
    if needs := needs_in_words(views):
        against, needs = (f"{words[0].upper()}{words[1:]}" for words in (against, needs))
        text, link = f"{against} Does the score need them? {needs}.", "views"
    return _badge("Shortcuts", verdict.state, verdict.title, text, link)


def _controls(controls: Sequence[Control], metric: str, best: float) -> list[View]:
    """Whether the best combination, whose `metric` is `best`, beats every control; nothing where none was scored."""
    verdict = controls_verdict(controls)
    if verdict is None:
        return []
    one = verdict.control
    text = f"{subject_verb(one)} {score_text(metric, one.value)}, the best combination {score_text(metric, best)}"
    if verdict.name == "not better":
        text += ": not better beyond the interval of their difference"
    elif verdict.state == "note" and one.share_low is not None:
        text += f": {share_text(one)} of the way from guessing needs no more"
    return [_badge("Controls", verdict.state, verdict.title, f"{text}.", "leaderboard")]


def needs_in_words(views: Views | None) -> str:
    """Rows that suffice for much of the score, by whether they are needed: ``none of them`` or ``border: needed``."""
    names: dict[str, list[str]] = {}
    for one in views.shortcuts if views else ():
        names.setdefault(_NEEDS.get(one.verdict, one.verdict), []).append(one.name)
    if list(names) == ["not needed"] and len(names["not needed"]) > 1:
        return "none of them"
    return "; ".join(f"{', '.join(those)}: {verdict}" for verdict, those in names.items())


def groups_box(kind: str) -> View:
    """What the groups are worth; see `Groups`."""
    return _badge("Patients", *_GROUPS[kind], "protocol")


def _split(test: GivenTest) -> View:
    """Whether the given test part is on its own, and looked at for the first time."""
    score = f"{score_text(test.metric, as_number(test.value))} on {test.images:,} images of {test.groups:,} groups."
    if test.leaks.other_images and not test.leaks.drop:
        state, word, text = "bad", f"{test.leaks.test_images:,} images leak", f"{score} {_LEAKING}"
    elif test.look > 1:
        state, word, text = "warn", f"Look {test.look}", f"{score} {_LOOKED_AT}"
    else:
        state, word, text = "good", "Opened once", f"{score} It took no part in the choice."
    return _badge("Given test part", state, word, text, "given_test")


def _sites(sites: Sites) -> View:
    """Whether the score is lower where no image of the site was trained on."""
    verdict = SITE_VERDICTS[sites.verdict]
    without, ordinary = (score_text(sites.metric, as_number(value)) for value in (sites.across, sites.within))
    text = f"{without} at sites that were left out of training, {ordinary} in ordinary folds."
    return _badge("Sites", verdict.state, f"{verdict.name[0].upper()}{verdict.name[1:]} across sites", text, "sites")


def _copies(duplicates: Duplicates) -> View:
    """Whether copies were found, and whether they are kept on one side of every fold."""
    pairs, alike, setting = duplicates.pairs, duplicates.looks_alike, duplicates.setting
    link = "audit" if pairs or alike or duplicates.label_conflicts else "protocol"
    if duplicates.label_conflicts:
        left_out, word = duplicates.left_out, f"{duplicates.label_conflicts:,} under more than one label"
        state, text = "bad", "The same image has several labels."
        if left_out:
            state, text = "warn", f"{text[:-1]}: its files, {left_out:,} in all, are left out of training and scores."
    elif setting == "off":
        state, word = "warn", "Not looked for"
        text = "Copies other than identical files may be on both sides of a fold."
    elif pairs and setting == "list":
        state, word, text = "warn", f"{pairs:,} pairs not grouped", "Copies may be on both sides of a fold."
    elif pairs:
        state, word = "note", f"{pairs:,} pairs kept together"
        text = (
            "No copy is on both sides of a fold." if setting == "group" else "Grouped as the table of decisions says."
        )
    elif alike:
        state, word, text = "note", f"{alike:,} pairs look alike", "They may not be copies, and are not grouped."
    else:
        state, word, text = "good", "None found", "Every image was compared with every other one."
    return _badge("Copies", state, word, text, link)


def _external(run: FinishedRun) -> View:
    """What tests on images of another source say; the worst of several."""
    answers = external_answers(run.folder).values()
    if not answers:
        text = "Never tested on images of another hospital: nothing is known about one."
        return _badge("External tests", "warn", "None yet", text, "again")
    verdicts_of_tests = [EXTERNAL[one.verdict] for one in answers if one.verdict in EXTERNAL]
    worst = min(verdicts_of_tests, key=lambda one: _WORST_FIRST.index(one.state), default=EXTERNAL["unknown"])
    text = "; ".join(map(_elsewhere, answers)) + "."
    return _badge("External tests", worst.state, worst.name.capitalize(), text, "external")


def _elsewhere(answer: ExternalAnswer) -> str:
    """The verdict of one test, with the score there and in the cross-validation."""
    chosen = answer.chosen
    if chosen is None or chosen.value is None:
        return f"{answer.name}: {answer.verdict}"
    there, inside = (score_text(answer.metric, as_number(value)) for value in (chosen.value, chosen.inside))
    return f"{answer.name}: {answer.verdict}, {there} there, {inside} in the cross-validation"


def _badge(about: str, state: str, word: str, text: str, link: str) -> View:
    """`link` is the name of the section with the evidence."""
    return {"about": about, "state": state, "word": word, "text": text, "link": link, "link_text": _LINKS[link]}
