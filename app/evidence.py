"""What a prediction rests on: the overlay with its scale, the nearest training images, what shortcuts predict."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from ..evaluation.combination_names import TOGETHER
from ..serving.output import percent
from .style import as_url, figures, note, notes, table

if TYPE_CHECKING:
    from ..serving.explanation import Explanation, Shortcut


def show(explained: Explanation) -> None:
    """Draw it, below the answer."""
    st.html(overlays(explained))
    if explained.neighbours:
        st.header("Nearest training images", anchor=False)
        st.html(note("warn" if mostly_others(explained) else "note", f"{explained.other_neighbours().capitalize()}."))
        st.html(_neighbours(explained))
    if explained.shortcuts:
        st.header("Shortcuts: what they predict without seeing what is pictured", anchor=False)
        st.html(notes(map(_shortcut, explained.shortcuts)))


def mostly_others(explained: Explanation) -> bool:
    """Whether more than half of the nearest training images have another label than the prediction."""
    return 2 * explained.others_near > len(explained.neighbours)


def overlays(explained: Explanation) -> str:
    """The image as the network sees it, and the overlay with the class, the scale of its colours and their unit."""
    label, against = escape(str(explained.prediction.label)), escape(explained.against)
    low, high = (escape(text) for text in explained.ends)
    return (
        f'<div class="lb-pair"><figure><img src="{as_url(_png(explained.pixels))}" alt="The image">'
        f"<figcaption>The image, as the network sees it.</figcaption></figure>"
        f'<figure><img src="{as_url(explained.overlay())}" '
        f'alt="The same image, overlaid with the regions that influenced the prediction {label}">'
        f'<div class="lb-scale" aria-hidden="true"></div>'
        f'<div class="lb-ends"><span>{low}</span><span>0</span><span>{high}</span></div>'
        f"<figcaption><b>{label} against {against}.</b> Orange regions favour {label}, blue regions {against}; no "
        f"colour: little influence. The scale is in {escape(explained.unit)} ({escape(explained.method)}).</figcaption>"
        "</figure></div>"
    )


def _png(pixels: Any) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _neighbours(explained: Explanation) -> str:
    """With their thumbnails, where the bundle contains some."""
    near, own = explained.neighbours, explained.prediction.label
    if all(one.picture is None for one in near):
        rows = [[_label(one.label, own), f"{one.distance:.2f}", one.image_id[:12]] for one in near]
        return table(["label", "distance", "image id"], rows, "The bundle contains no thumbnails of them")
    return figures((one.picture, _label(one.label, own), f"distance {one.distance:.2f}") for one in near)


def _label(label: str, own: str | None) -> str:
    return label if label == own else f"{label} (another class)"


def _shortcut(one: Shortcut) -> tuple[str, str, str]:
    predicted, name = f"{one.label} ({percent(one.probability)})", one.name.capitalize()
    if one.name != TOGETHER:
        name += " alone"
    if one.agrees:
        return "warn", f"{name}: the same prediction.", predicted
    return "note", f"{name}: a different prediction.", predicted
