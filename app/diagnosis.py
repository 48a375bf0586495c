"""The prediction for one image: class, probabilities, prediction set, warnings, explanation, nearest images."""

from __future__ import annotations

import io
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from ..errors import UnreadableImageError
from ..reporting.report.sections.verdicts import groups_box, shortcut_box
from ..runs.answer import ShortcutVerdict
from . import models
from .style import as_url, boxes, figures, note, notes, table

if TYPE_CHECKING:
    from ..serving.bundle import Bundle
    from ..serving.explanation import Explanation
    from ..serving.image_input import Upload
    from ..serving.prediction import Prediction


def show(bundle: Bundle, row: Prediction, image: Upload, level: float) -> None:
    """Draw it, with its explanation."""
    if row.error:
        st.html(note("bad", f"{row.image} cannot be read.", row.error))
        return
    left, right = st.columns([5, 7], gap="medium")
    left.html(card(row, level))
    with right:
        slot = st.empty()
        try:
            with slot, st.spinner("Computing the explanation"):
                explained = _explain(bundle, image, row, level)
        except UnreadableImageError as error:
            slot.html(note("bad", "No explanation.", error.what))
            return
        slot.html(_pair(explained))
    _more(explained)


def percent(share: float) -> str:
    """A share in percent; never 0 or 100 for what is only nearly so."""
    if 0.0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1.0:
        return "> 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def warnings_of(row: Prediction) -> str:
    """Why not to rely on a prediction, in a few words."""
    reasons = [row.error] if row.error else []
    reasons += ["unlike the training data"] if row.ood else []
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


def card(row: Prediction, level: float) -> str:
    """Warnings of one image first, then its class, set and bars."""
    bars = sorted(row.probabilities.items(), key=lambda pair: -pair[1])
    drawn = "".join(_bar(name, share, name in row.conformal_set) for name, share in bars)
    return (
        f'<section class="lb-answer" aria-label="Prediction"><p class="lb-name">{escape(row.image)}</p>'
        f'{notes(_warnings(row))}<p class="lb-label">{escape(row.label or "")}</p>'
        f'<p class="lb-set">{escape(set_in_words(row, level))}</p>'
        f'<ul class="lb-bars" aria-label="Calibrated probabilities">{drawn}</ul></section>'
    )


def _bar(name: str, share: float, inside: bool) -> str:
    return (
        f'<li class="{"in" if inside else ""}"><span class="name">{escape(name)}</span>'
        f'<span class="track" aria-hidden="true"><span class="fill" style="width:{100 * share:.2f}%"></span></span>'
        f'<span class="number">{escape(percent(share))}</span></li>'
    )


def _warnings(row: Prediction) -> list[tuple[str, str, str]]:
    warnings = []
    if row.ood:
        far = f"It is {row.ood_score:.1f} times as far from the training images as one of them typically is"
        warnings.append(("bad", "Unlike the training data.", f"{far}. Rely on neither the prediction nor its set."))
    if row.trained_on:
        warnings.append(
            ("warn", "In the training data.", "The model was trained on this file: its prediction is no test.")
        )
    return warnings


def _explain(bundle: Bundle, image: Upload, row: Prediction, level: float) -> Explanation:
    """Computed for the image that is looked at only; the last one is kept."""
    key = (bundle.digest, row.image_id, level)
    kept = st.session_state.get("explained")
    if kept is None or kept[0] != key:
        kept = st.session_state["explained"] = (key, models.explain(bundle, image, level))
    return kept[1]


def _pair(explained: Explanation) -> str:
    label, against = escape(str(explained.prediction.label)), escape(explained.against)
    return (
        f'<div class="lb-pair"><figure><img src="{as_url(_png(explained.pixels))}" alt="The image">'
        f"<figcaption>The image, as the network sees it.</figcaption></figure>"
        f'<figure><img src="{as_url(explained.overlay())}" '
        f'alt="The same image, overlaid with the regions that influenced the prediction">'
        f"<figcaption>Orange regions favour {label} over {against}, blue regions the opposite; "
        f"the stronger the colour, the stronger the effect ({escape(explained.method)}).</figcaption></figure></div>"
    )


def _png(pixels: Any) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _more(explained: Explanation) -> None:
    if explained.neighbours:
        st.subheader("Nearest training images", anchor=False)
        st.html(_neighbours(explained))
    if explained.shortcuts:
        st.subheader("What shortcuts predict, which see nothing of what is pictured", anchor=False)
        st.html(notes(map(_shortcut, explained.shortcuts)))


def _neighbours(explained: Explanation) -> str:
    """With their thumbnails, where the bundle contains some."""
    near = explained.neighbours
    if all(one.picture is None for one in near):
        rows = [[one.label, f"{one.distance:.2f}", one.image_id[:12]] for one in near]
        return table(["label", "distance", "image id"], rows, "The bundle contains no thumbnails of them")
    return figures((one.picture, one.label, f"distance {one.distance:.2f}") for one in near)


def _shortcut(one: Any) -> tuple[str, str, str]:
    predicted = f"{one.label} ({percent(one.probability)})"
    if one.agrees:
        return "warn", f"{one.name.capitalize()} alone: the same prediction.", predicted
    return "note", f"{one.name.capitalize()} alone: a different prediction.", predicted


def verdict(facts: Mapping[str, Any]) -> str:
    """The benchmark's verdicts on the model: boxes of its report."""
    metric, verdicts = facts["evaluation"]["rank_by"], [groups_box(facts["patients"])]
    if facts["shortcut"]:
        shortcut = ShortcutVerdict.from_json(facts["shortcut"])
        verdicts.insert(0, shortcut_box(shortcut, metric, facts["scores"][metric][0]))
    return boxes(verdicts)
