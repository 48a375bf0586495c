"""What a prediction rests on, as the page draws it."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.app import diagnosis, evidence
from leukobench.serving.explanation import Explanation, Neighbour, Shortcut
from leukobench.serving.prediction import Prediction

ROW = Prediction("a.png", "00", "A<b>", {"A<b>": 0.8, "B": 0.2}, ("A<b>",), 1.0, 0.5)


def explained(labels: str) -> Explanation:
    near = [Neighbour("0" * 64, "A<b>" if label == "A" else label, 1.5, None) for label in labels]
    heat = np.linspace(-2, 2, 64, dtype=np.float32).reshape(8, 8)
    return Explanation(ROW, "occlusion", "B", heat, np.zeros((8, 8, 3), np.uint8), near, [], margin=2.0)


def test_the_overlay_bears_its_class_scale_and_legend() -> None:
    html = evidence.overlays(explained("AAAAA"))
    assert "A&lt;b&gt; against B." in html
    assert "Orange regions favour A&lt;b&gt;, blue regions B" in html
    assert "<span>B, 2</span><span>0</span><span>2, A&lt;b&gt;</span>" in html
    assert "log-odds (occlusion)" in html


@pytest.mark.parametrize(
    ("labels", "words", "warns"),
    [
        ("AAAAA", "none of the 5 nearest training images are of other classes", False),
        ("AABAA", "1 of the 5 nearest training images is of another class", False),
        ("BABBA", "3 of the 5 nearest training images are of other classes", True),
        ("BBBBB", "all of the 5 nearest training images are of other classes", True),
    ],
)
def test_nearest_images_of_other_classes_are_counted_and_a_majority_is_a_warning(
    labels: str, words: str, warns: bool
) -> None:
    one = explained(labels)
    assert one.other_neighbours() == words
    notes = diagnosis._near(one)
    assert [(state, word.lower()) for state, word, _ in notes] == ([("warn", f"{words}.")] if warns else [])
    assert ("another class)" in evidence._neighbours(one)) == ("B" in labels)
    if warns:
        card = diagnosis.card(ROW, 0.95, None, notes)
        assert card.index("nearest training images") < card.index("lb-label")


def test_shortcuts_are_called_by_their_names() -> None:
    same = evidence._shortcut(Shortcut("border", "A", 0.9, True))
    assert same == ("warn", "Border alone: the same prediction.", "A (90 %)")
    together = evidence._shortcut(Shortcut("all shortcuts together", "B", 0.9, False))
    assert together == ("note", "All shortcuts together: a different prediction.", "B (90 %)")
