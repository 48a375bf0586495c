"""The answer for one image: why not to rely on it, where that is so, then class, prediction set and evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from ..errors import UnreadableImageError
from ..reporting.report.sections.verdicts import groups_box, shortcut_box
from ..runs.answer import ShortcutVerdict
from ..serving.output import percent
from . import evidence, models
from .run_data import small_jpeg
from .style import as_url, boxes, note, notes

if TYPE_CHECKING:
    from ..serving.bundle import Bundle
    from ..serving.explanation import Explanation
    from ..serving.image_input import Upload
    from ..serving.prediction import Prediction

Note = tuple[str, str, str]
"""State, word and text of a box."""
_TO_DO = (
    "Compare the image with the training images: kind of sample, stain, magnification, crop and focus. Take it again "
    "if one differs. Else it shows something that the model never saw: decide without the model."
)
_OPEN = (
    "Decide without the model; or choose a lower coverage level below, whose sets are smaller and miss the true class "
    "more often."
)


def show(bundle: Bundle, row: Prediction, image: Upload, level: float) -> None:
    """Draw it, with its explanation."""
    if row.error:
        st.html(note("bad", f"{row.image} cannot be read.", row.error))
        return
    picture, slot = small_jpeg(image.data), st.empty()
    slot.html(card(row, level, picture))
    place = st.container() if is_reliable(row) else st.expander("What the model would have predicted")
    with place:
        if not is_reliable(row):
            folded = f"{label(row)}{certainty(row, level)}"
            st.html(f'<section class="lb-folded" aria-label="Not to be relied on">{folded}</section>')
        try:
            with st.spinner("Computing the explanation"):
                explained = _explain(bundle, image, row, level)
        except UnreadableImageError as error:
            st.html(note("bad", "No explanation.", error.what))
            return
        evidence.show(explained)
    slot.html(card(row, level, picture, _near(explained)))


def is_reliable(row: Prediction) -> bool:
    """Whether a prediction may be relied on: the image is like the training data, and the model can decide."""
    return not row.ood and len(row.conformal_set) < len(row.probabilities)


def warnings_of(row: Prediction) -> str:
    """Why not to rely on a prediction, in a few words."""
    reasons = [row.error] if row.error else []
    reasons += ["unlike the training data"] if row.ood else []
    reasons += ["cannot decide"] if row.label and len(row.conformal_set) == len(row.probabilities) else []
    return ", ".join(reasons + (["in the training data"] if row.trained_on else []))


def set_in_words(row: Prediction, level: float) -> str:
    """The prediction set, and how often such sets contain the true class."""
    *first, last = row.conformal_set
    names = f"{', '.join(first)} or {last}" if first else last
    if len(row.conformal_set) == len(row.probabilities):
        names = "all classes, so the model cannot decide"
    share = percent(level)
    coverage = f"Such sets contain the true class for {share} of images like the training data."
    return f"Prediction set at {share}: {names}. {coverage}"


def card(row: Prediction, level: float, picture: bytes | None = None, near: Sequence[Note] = ()) -> str:
    """The picture beside its warnings; then what to do, or the prediction, where it may be relied on."""
    warnings = [*_warnings(row, level), *near]
    thumbnail = f'<img src="{as_url(picture)}" alt="{escape(row.image)}">' if picture else ""
    below = certainty(row, level) if is_reliable(row) else f"<p><b>What to do.</b> {_TO_DO if row.ood else _OPEN}</p>"
    return (
        f'<section class="lb-answer" aria-label="Answer"><div class="lb-first">{thumbnail}'
        f'<div><p class="lb-name">{escape(row.image)}</p>{notes(warnings) if warnings else ""}'
        f"{label(row) if is_reliable(row) else ''}</div></div>{below}</section>"
    )


def label(row: Prediction) -> str:
    """Class and probability."""
    share = percent(row.probabilities.get(row.label or "", 0.0))
    return f'<p class="lb-label">{escape(row.label or "")} <small>{escape(share)}</small></p>'


def certainty(row: Prediction, level: float) -> str:
    """Prediction set and a bar for each class."""
    bars = sorted(row.probabilities.items(), key=lambda pair: -pair[1])
    drawn = "".join(_bar(name, share, name in row.conformal_set) for name, share in bars)
    return (
        f'<p class="lb-set">{escape(set_in_words(row, level))}</p>'
        f'<ul class="lb-bars" aria-label="Calibrated probabilities">{drawn}</ul>'
    )


def _bar(name: str, share: float, inside: bool) -> str:
    return (
        f'<li class="{"in" if inside else ""}"><span class="name">{escape(name)}</span>'
        f'<span class="track" aria-hidden="true"><span class="fill" style="width:{100 * share:.2f}%"></span></span>'
        f'<span class="number">{escape(percent(share))}</span></li>'
    )


def _warnings(row: Prediction, level: float) -> list[Note]:
    warnings = []
    if row.ood:
        far = f"It is {row.ood_score:.1f} times as far from the training images as one of them typically is."
        if math.isnan(row.ood_score):
            far = "Its features are so large that no distance to the training images can be computed."
        warnings.append(("bad", "Do not rely on an answer: unlike the training data.", far))
    elif not is_reliable(row):
        every = f"The prediction set at {percent(level)} holds all {len(row.probabilities)} classes."
        warnings.append(("bad", "The model cannot decide.", every))
    if row.trained_on:
        warnings.append(
            ("warn", "In the training data.", "The model was trained on this file: its prediction is no test.")
        )
    return warnings


def _near(explained: Explanation) -> list[Note]:
    """A warning where the nearest training images contradict a prediction that would be relied on."""
    if not is_reliable(explained.prediction) or not evidence.mostly_others(explained):
        return []
    near = ", ".join(one.label for one in explained.neighbours)
    return [("warn", f"{explained.other_neighbours().capitalize()}.", f"The nearest first: {near}.")]


def _explain(bundle: Bundle, image: Upload, row: Prediction, level: float) -> Explanation:
    """Computed for the image that is looked at only; the last one is kept."""
    key = (bundle.digest, row.image_id, level)
    kept = st.session_state.get("explained")
    if kept is None or kept[0] != key:
        kept = st.session_state["explained"] = (key, models.explain(bundle, image, level))
    return kept[1]


def verdict(facts: Mapping[str, Any]) -> str:
    """The benchmark's verdicts on the model: boxes of its report."""
    metric, verdicts = facts["evaluation"]["rank_by"], [groups_box(facts["patients"])]
    if facts["shortcut"]:
        shortcut = ShortcutVerdict.from_json(facts["shortcut"])
        verdicts.insert(0, shortcut_box(shortcut, metric, facts["scores"][metric][0]))
    return boxes(verdicts)
