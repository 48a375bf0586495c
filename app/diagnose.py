"""The page that predicts the images that a visitor uploads."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from ..serving.bundle import Bundle
from ..serving.image_input import Upload
from ..serving.prediction import Prediction, Predictions
from . import diagnosis, external, models
from .limits import MAX_FILES, forget_uploads, in_words
from .spreadsheet import as_csv
from .style import note, table
from .target import Target

_LEVEL = 0.95


def page(target: Target) -> None:
    """Draw it."""
    st.title("Diagnose", anchor=False)
    path, bundle = _bundle(target.bundles())
    st.html(f'<p class="lb-lead">{escape(bundle.title)}: distinguishes {escape(_list_names(bundle.classes))}.</p>')
    st.html(diagnosis.verdict(bundle.facts))
    left, right = st.columns([3, 1])
    with right:
        level = _level(bundle)
    with left:
        files = _files()
    answers: list[Prediction] = []
    if files:
        right.button("Remove all images", on_click=_clear, width="stretch")
        answers = _answers(bundle, files, level)
        with st.container():
            place = _table(bundle, answers, level) if len(answers) > 1 else 0
        with st.empty().container():  # empty first: nothing of another image stays while this one is computed
            diagnosis.show(bundle, answers[place], _upload(files[place]), level)
    _forget_explanation(answers)
    external.show_of_bundle(path, bundle.digest)
    with st.expander("Model card"):
        st.markdown(bundle.card.replace("![", "!&#91;"))  # no images, which could come from anywhere


def _bundle(paths: list[Path]) -> tuple[Path, Bundle]:
    """The bundle; where there are several, the one of the chosen run."""
    names = {path.parent.name if path.name == "model" else path.stem: path for path in paths}
    chosen = (
        st.selectbox("Model", list(names), key="model", bind="query-params") if len(names) > 1 else next(iter(names))
    )
    with st.spinner("Loading the model"):
        return names[chosen], models.load_bundle(names[chosen])


def _list_names(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _level(bundle: Bundle) -> float:
    levels = sorted(bundle.levels)
    usual = levels.index(_LEVEL) if _LEVEL in levels else len(levels) - 1
    return st.selectbox("Coverage level of the prediction set", levels, usual, format_func=diagnosis.percent)


def _files() -> list[Any]:
    """Files in the uploader, whose key changes when all of them are removed."""
    st.session_state.setdefault("drop", 0)
    files = st.file_uploader("Images", accept_multiple_files=True, key=f"files-{st.session_state['drop']}")
    st.caption(
        f"JPEG, PNG, BMP, TIFF or WebP: {in_words()}, 50 megapixels per image. "
        "They stay in memory while this page is open, and are never written to disk."
    )
    if len(files) >= MAX_FILES:
        st.html(note("note", f"At most {MAX_FILES} files at once.", "Further files were not read."))
    return list(files)


def _clear() -> None:
    forget()
    st.session_state["drop"] += 1


def forget() -> None:
    """Drop the images of this session and all their predictions."""
    forget_uploads()
    for name in ("answers", "explained"):
        st.session_state.pop(name, None)


def _forget_explanation(answers: Sequence[Prediction]) -> None:
    """Drop the explained image where its file is no longer among those that are here."""
    kept = st.session_state.get("explained")
    if kept and kept[0][1] not in {row.image_id for row in answers}:
        del st.session_state["explained"]


def _upload(file: Any) -> Upload:
    return Upload(file.name, file.getvalue())


def _answers(bundle: Bundle, files: Sequence[Any], level: float) -> list[Prediction]:
    """A prediction for each file; earlier ones are kept, without the bytes."""
    earlier = st.session_state.get("answers", {})
    keys = [(bundle.digest, level, file.file_id) for file in files]
    answers = st.session_state["answers"] = {key: earlier[key] for key in keys if key in earlier}
    waiting = [(key, file) for key, file in zip(keys, files, strict=True) if key not in answers]
    slot = st.empty()
    if waiting:
        slot.progress(0.0, "Waiting for other requests")
    for start in range(0, len(waiting), models.AT_ONCE):
        batch = waiting[start : start + models.AT_ONCE]
        rows = models.predict(bundle, [_upload(file) for _, file in batch], level)
        answers.update({key: row for (key, _), row in zip(batch, rows, strict=True)})
        slot.progress(len(answers) / len(keys), f"{len(answers)} of {len(keys)}")
    slot.empty()
    return [answers[key] for key in keys]


def _table(bundle: Bundle, answers: list[Prediction], level: float) -> int:
    """All predictions, to be read and downloaded; returns the place of the one to show."""
    unreadable, unlike = sum(bool(row.error) for row in answers), sum(row.ood for row in answers)
    st.subheader(f"{len(answers)} images", anchor=False)
    head = ["image", "prediction", "probability", f"prediction set at {diagnosis.percent(level)}", "warnings"]
    st.html(table(head, map(_texts, answers), f"{unreadable} unreadable, {unlike} unlike the training data", words=5))
    rows = Predictions(answers, bundle.classes, level, {}).table()
    st.download_button("Download the predictions (CSV)", as_csv(rows), "predictions.csv", "text/csv")
    names = [f"{place + 1}. {row.image}" for place, row in enumerate(answers)]
    return st.selectbox("Image to show", range(len(answers)), format_func=lambda place: names[place]) or 0


def _texts(row: Prediction) -> list[str]:
    share = diagnosis.percent(row.probabilities[row.label]) if row.label else ""
    return [row.image, row.label or "", share, " or ".join(row.conformal_set), diagnosis.warnings_of(row)]
