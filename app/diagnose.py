"""The page that predicts the images that a visitor uploads."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from ..serving.bundle import Bundle
from ..serving.image_input import Upload
from ..serving.output import percent
from ..serving.prediction import Prediction, Predictions
from . import diagnosis, external, models
from .limits import MAX_FILES, forget_uploads, in_words
from .spreadsheet import as_csv
from .style import note, tab_title, table, word_cell
from .target import Target

_LEVEL = 0.95


def page(target: Target) -> None:
    """Draw it: the answer above the files, for people look there first, and what the model is worth below."""
    st.title("Diagnose", anchor=False)
    path, bundle = _bundle(target.bundles())
    tab_title("Diagnose", bundle.name)
    st.html(f'<p class="lb-lead">{escape(bundle.title)}: distinguishes {escape(_list_names(bundle.classes))}.</p>')
    above = st.container()
    files = _files()
    level = _level(bundle)
    answers: list[Prediction] = []
    if files:
        with above:
            answers = _answers(bundle, files, level)
            place = _table(bundle, answers, level) if len(answers) > 1 else 0
            with st.empty().container():  # empty first: nothing of another image stays while this one is computed
                diagnosis.show(bundle, answers[place], _upload(files[place]), level)
    _forget_explanation(answers)
    st.header("About the model", anchor=False)
    st.html(diagnosis.verdict(bundle.facts))
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
    return st.selectbox("Coverage level of the prediction set", levels, usual, format_func=percent, width=300)


def _files() -> list[Any]:
    """Files in the uploader, whose key changes when all of them are removed."""
    st.session_state.setdefault("drop", 0)
    files = st.file_uploader("Images", accept_multiple_files=True, key=f"files-{st.session_state['drop']}")
    st.caption(
        f"JPEG, PNG, BMP, TIFF or WebP: {in_words()}, 50 megapixels per image. "
        "They stay in memory while this page is open, and are never written to disk."
    )
    if files:
        st.button("Remove all images", on_click=_clear)
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
    doubtful = sum(not row.error and not diagnosis.is_reliable(row) for row in answers)
    st.header(f"{len(answers)} images", anchor=False)
    if doubtful:
        st.html(note("bad", f"{doubtful} of {len(answers)} answers are not to be relied on.", "The table says why."))
    head = ["image", "answer", "probability", f"prediction set at {percent(level)}", "warnings"]
    st.html(table(head, map(_texts, answers), f"{unreadable} unreadable, {unlike} unlike the training data", words=5))
    rows = Predictions(answers, bundle.classes, level, {}).table()
    st.download_button("Download the predictions (CSV)", as_csv(rows), "predictions.csv", "text/csv")
    names = [f"{place + 1}. {row.image}" for place, row in enumerate(answers)]
    return st.selectbox("Image to show", range(len(answers)), format_func=lambda place: names[place]) or 0


def _texts(row: Prediction) -> list[str]:
    warnings = diagnosis.warnings_of(row)
    if row.error or row.label is None:
        return [row.image, "", "", "", warnings]
    if not diagnosis.is_reliable(row):
        return [row.image, word_cell("do not rely on it", f"would be {row.label}", "lb-bad"), "", "", warnings]
    return [row.image, row.label, percent(row.probabilities[row.label]), " or ".join(row.conformal_set), warnings]
