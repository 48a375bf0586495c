"""The words of a report in a sentence each, and links to them from where each word first stands on the page."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

from ...evaluation.metrics import BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY
from .numbers import PERCENT

TERMS = {
    "combination": "An extractor, a selector and a classifier, used one after the other.",
    "extractor": "A pretrained network, or another method, that turns an image into a list of numbers, its features.",
    "feature": "One of the numbers that describe an image.",
    "selector": "A method that keeps the useful features, or makes fewer of them.",
    "classifier": "A method that learns to predict the class of an image from its features.",
    "fold": "A part of the images that is set aside and predicted by models that were trained on all other folds.",
    "out-of-fold prediction": "The prediction of an image by a model that was not trained on it.",
    "group": "Images that must not be separated by a fold: those of one patient, and copies of one another.",
    "patient-level": "All images of a patient are on the same side of every fold: scores are of new patients.",
    "image-level": "Images of one patient may be trained on and tested, so scores for new patients are likely lower.",
    "near-duplicate": "An image that shows the same as another one, a little changed: cut, turned, resized.",
    "leaderboard": "All combinations, best first, with what shortcuts and controls reach.",
    "shortcut": "A baseline that sees nothing of what is pictured, such as file facts or the border: what it scores "
    "needs no skill.",
    "control": "A row that is no candidate: a network that was never trained, or a few pixels.",
    "not better than a control": "The best combination is not shown to lead the control, so its score is not shown "
    "to need more than the control has.",
    "content row": "A baseline of simple numbers that depend on what is pictured, such as its mean colour.",
    "confounded": "The classes differ in how their images were made, so a good score may be that of a shortcut alone.",
    "view": "The images with one kind of information taken away, such as colour or the border.",
    BALANCED_ACCURACY.title: "The mean of the classes' sensitivities: each class counts the same, whatever its size.",
    SENSITIVITY.title: "Of the images of a class, the share that is recognised as it.",
    SPECIFICITY.title: "Of the images of all other classes, the share that is not taken for it.",
    "95 % interval": "Where the score of these models would lie on new images or patients like these, with 95 % "
    "confidence; not for another hospital.",
    "confidence set": "The combinations of which any may be the best, with 95 % confidence; marked with = on the "
    "leaderboard.",
    "corrected for selecting": "The best of many looks better than it is; this is the score without that advantage.",
    "calibration": "Whether of the images predicted with a confidence of 90 % about 90 % are right.",
    "external test": "A test on labelled images of another source, such as another hospital.",
    "permuted labels": "A sanity check: labels are shuffled, and scores must drop to chance.",
}
"""Word -> its meaning."""
_FORMS = {form: word for word in TERMS for form in (word, f"{word}s", word.replace(" %", PERCENT))}
_TEXT = {"p", "li", "figcaption", "caption", "strong"}
_NAMES = {"a", "button", "code", "label", "script", "style", "summary", "title"}
"""Tags of running text; and those within which no word becomes a link."""
_VOID = {"meta", "input", "br", "wbr", "img", "hr", "col"}


def anchor(word: str) -> str:
    """Where the word stands in the glossary."""
    return f"word-{re.sub(r'[^a-z0-9]+', '-', word.lower())}"


def with_links(html: str) -> str:
    """The page with a link to the glossary at the first place of each word in running text.

    Headings, tables, names and links stay as they are.

    Parameters
    ----------
    html : str
        A whole page, of which every tag is closed.
    """
    linker = _Linker()
    linker.feed(html)
    linker.close()
    return "".join(linker.parts)


class _Linker(HTMLParser):
    """Copies a page, and puts links into its text."""

    pattern = re.compile(rf"(?<![\w-])({'|'.join(sorted(_FORMS, key=len, reverse=True))})(?![\w-])", re.IGNORECASE)

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self.open: list[str] = []
        self.left = set(TERMS)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.parts.append(self.get_starttag_text() or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{tag}>")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        running = self.open and self.open[-1] in _TEXT and not _NAMES.intersection(self.open)
        self.parts.append(self.pattern.sub(self._link, data) if running else data)

    def _link(self, match: re.Match[str]) -> str:
        word = _FORMS[match[0].lower()]
        if word not in self.left:
            return match[0]
        self.left.remove(word)
        return f'<a class="word" href="#{anchor(word)}" title="{escape(TERMS[word])}">{match[0]}</a>'

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")
