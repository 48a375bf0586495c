"""The answer of an external test, and its tables: what was scored, what was left out, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..audit.copies import KINDS
from ..audit.pictures import SHEET_SIZE, Picture, draw_pictures
from ..bundling.measured_quantiles import measured_columns
from ..evaluation.combination_names import as_columns
from ..evaluation.metric import Floats
from ..reporting.external import sentences_of
from ..reporting.external_verdicts import verdict_of
from ..reporting.protocol import groups
from ..runs.external_answer import CombinationTested, CopiesTested, ExternalAnswer, ImagesTested
from ..runs.workspace import Workspace
from .external_images import ExternalImages, ImageSource
from .external_model import Model, Predicted
from .external_scores import (
    Scored,
    calibration_of,
    predictions_table,
    recalibration_of,
    score_all,
    score_without,
    sets_of,
    share_of,
    shares_of,
    shifts_of,
)

if TYPE_CHECKING:
    import pandas as pd

WORST = "worst"
"""Contact sheets of the images whose own class is least probable: ``worst-1.png``."""
_TABLES = {"confusion": "parquet", "reliability": "parquet", "patients": "parquet"}


def answer_of(
    model: Model, source: ImageSource, external: ExternalImages, facts: Mapping[str, str], workspace: Workspace
) -> ExternalAnswer:
    """Predict and score the images that are no copies of training images; writes every table but ``answer.json``.

    Parameters
    ----------
    model : Model
    source : ImageSource
    external : ExternalImages
    facts : mapping
        name, time and state of the answer.
    workspace : Workspace
    """
    index, _ = external.index.split(~external.new)
    has_patients = bool(len(index)) and groups(index).kind == "patients"
    place = {name: position for position, name in enumerate(external.classes.classes)}
    labels = np.array([place[label] for label in index.images["label"]], dtype=np.int64)
    patients = index.images["patient"].tolist() if has_patients else None
    own_groups = np.asarray(index.group, dtype=np.int64) if len(index) else labels
    scored = Scored(model, external.classes, labels, own_groups, patients)
    answer = ExternalAnswer(
        name=facts["name"],
        time=facts["time"],
        state=facts["state"],
        kind=model.kind,
        run=model.name,
        digest=model.digest,
        metric=scored.metric.name,
        margin=None,
        images=_images(source, external, scored, index.digest() if len(index) else ""),
        copies=_copies(model, external),
    )
    workspace.folder.write_table("ledger.parquet", external.index.whole_ledger())
    if len(index):
        answer = _with_scores(answer, scored, external, workspace)
    else:
        workspace.folder.write_table("copies.csv", _pairs_table(external, set()))
    answer = replace(answer, verdict=verdict_of(answer))
    return replace(answer, sentences=sentences_of(answer))


def _images(source: ImageSource, external: ExternalImages, scored: Scored, images: str) -> ImagesTested:
    classes, labels = external.classes, set(external.index.images["source_label"])
    renamed = {label: name for label, name in classes.labels.items() if label != name and label in labels}
    absent = [name for name, there in zip(classes.classes, scored.present, strict=True) if images and not there]
    return ImagesTested(
        folder=source.folder.absolute().name,
        digest=images,
        scored=len(scored.labels),
        groups=len(np.unique(scored.groups)),
        patients=scored.patients is not None,
        classes=classes.classes,
        counts=tuple(np.bincount(scored.labels, minlength=len(classes.classes)).tolist()),
        training=tuple(sum(scored.model.counts[one] for one in own) for own in classes.members),
        mapped=tuple(f"{label} = {name}" for label, name in renamed.items()),
        unmapped=tuple(f"{name} ({count:,})" for name, count in external.left_out.items()),
        absent=tuple(absent),
        unused=len(external.index.unused) - sum(external.left_out.values()),
    )


def _copies(model: Model, external: ExternalImages) -> CopiesTested:
    copies = external.copies
    return CopiesTested(
        identical=copies.count(KINDS[0]),
        near=copies.count(KINDS[2]),
        relabelled=copies.relabelled,
        compared=len(copies.compared),
        training=len(model.image_ids),
    )


def _with_scores(
    answer: ExternalAnswer, scored: Scored, external: ExternalImages, workspace: Workspace
) -> ExternalAnswer:
    index, rows = external.index.split(~external.new)[0], external.new
    predictions = scored.model.predict(index, workspace)
    combinations, tables = score_all(scored, predictions, workspace.progress)
    first, folder = predictions[0], workspace.folder
    answer = replace(answer, combinations=tuple(combinations))
    for name, table in tables.items():
        folder.write_table(f"{name}.{_TABLES.get(name, 'csv')}", _in_order(table, predictions))
    if first.error:
        return answer
    paths = index.images["path"].tolist()
    likely = _likely(external, paths, first)
    flagged, low, high = share_of(first.unlike, scored.groups)
    numbers = external.measurements[rows][:, measured_columns(external.names)].astype(np.float64)
    answer = replace(
        answer,
        margin=_margin(scored, combinations[0]),
        copies=_with_likely(answer.copies, scored, first, np.array([path in likely for path in paths])),
        calibration=tuple(calibration_of(scored, first)),
        sets=tuple(sets_of(scored, first)),
        flagged=flagged,
        flagged_low=low,
        flagged_high=high,
        shifts=tuple(shifts_of(scored, scored.model.quantiles(workspace), numbers)),
        shares=tuple(shares_of(scored, first)),
        recalibration=tuple(recalibration_of(scored, first)),
    )
    predicted = predictions_table(scored, first, index.images).assign(likely_copy=[path in likely for path in paths])
    folder.write_table("predictions.parquet", predicted)
    folder.write_table("copies.csv", _pairs_table(external, likely))
    for name in ("combinations", "calibration", "sets", "shifts", "shares", "recalibration"):
        folder.write_table(f"{name}.csv", _table_of(getattr(answer, name)))
    _draw_worst(scored, predicted, workspace)
    return answer


def _in_order(table: pd.DataFrame, predictions: Sequence[Predicted]) -> pd.DataFrame:
    """Rows of the combinations in the order of the run's leaderboard, which this test does not change."""
    places = {one.names: place for place, one in enumerate(predictions)}
    names = table[list(as_columns(predictions[0].names))].itertuples(index=False, name=None)
    return table.iloc[np.argsort([places[one] for one in names], kind="stable")].reset_index(drop=True)


def _margin(scored: Scored, chosen: CombinationTested) -> float | None:
    """The share of the way from guessing to the cross-validated score that does not count."""
    guessing = scored.metric.guessing(len(scored.classes.classes))
    if chosen.inside is None or chosen.inside_low is None:
        return None
    if guessing is None:
        guessing = float(np.bincount(scored.labels).max() / len(scored.labels))
    share = scored.model.evaluation.view_margin
    return share * (chosen.inside - guessing) if chosen.inside_low > guessing else None


def _likely(external: ExternalImages, paths: Sequence[str], predicted: Predicted) -> set[str]:
    """Images that may be copies: they look alike, or have nearly the features of one whose file is gone."""
    pairs = external.copies.pairs
    own = set(paths)
    alike = pairs[(pairs["kind"] == KINDS[3]) & (pairs["path_a"].isin(own) != pairs["path_b"].isin(own))]
    likely = (set(alike["path_a"]) | set(alike["path_b"])) & own
    readable = external.copies.compared | {""}
    return likely | {path for path, copy in zip(paths, predicted.copies.tolist(), strict=True) if copy not in readable}


def _with_likely(copies: CopiesTested, scored: Scored, predicted: Predicted, likely: NDArray[np.bool_]) -> CopiesTested:
    if not likely.any():
        return copies
    value, low, high = score_without(scored, predicted, likely)
    return replace(copies, likely=int(likely.sum()), without=value, without_low=low, without_high=high)


def _pairs_table(external: ExternalImages, likely: set[str]) -> pd.DataFrame:
    """A row an image that is a copy of a training image, or may be one, and the one that is most similar to it."""
    import pandas as pd

    copies, labels = external.copies, dict(external.index.images[["path", "label"]].itertuples(index=False, name=None))
    kinds = {**dict.fromkeys(sorted(likely), "likely"), **copies.kinds}
    best: dict[str, tuple[float, str]] = {}
    for one, other, similarity in copies.pairs[["path_a", "path_b", "similarity"]].itertuples(index=False, name=None):
        for own, nearest in ((one, other), (other, one)):
            if own in kinds and nearest not in labels:
                best[own] = max(best.get(own, (-1.0, "")), (float(similarity), nearest))
    rows = [
        {
            "path": path,
            "label": labels[path],
            "kind": kind,
            "training_image": best.get(path, (np.nan, ""))[1],
            "similarity": best.get(path, (np.nan, ""))[0],
        }
        for path, kind in kinds.items()
    ]
    return pd.DataFrame(rows, columns=["path", "label", "kind", "training_image", "similarity"])


def _table_of(rows: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in rows])


def _draw_worst(scored: Scored, predicted: pd.DataFrame, workspace: Workspace) -> None:
    """A contact sheet of the images that are wrong, the least probable own class first."""
    own: Floats = predicted[[f"p_{name}" for name in scored.classes.classes]].to_numpy(dtype=np.float64)
    own = own[np.arange(len(own)), scored.labels]
    wrong = np.flatnonzero(predicted["predicted"] != predicted["label"])
    pictures = []
    for row in wrong[np.argsort(own[wrong], kind="stable")][:SHEET_SIZE].tolist():
        one = predicted.iloc[row]
        words = f"{one['predicted']}, labelled {one['label']}"
        remarks = [f"own class {100 * own[row]:.1f} %", *(["unlike the training data"] if one["unlike"] else [])]
        pictures.append(Picture(one["path"], words, remarks))
    draw_pictures(WORST, pictures, workspace.folder.path, 1)
