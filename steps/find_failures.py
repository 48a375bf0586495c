"""Find failures: parts of the images in which the best combination is wrong more often than elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audit.pictures import SHEET_SIZE, Picture, draw_pictures
from ..evaluation.grid import Combination, Grid
from ..evaluation.metric import Floats
from ..evaluation.records import RecordStore
from ..evaluation.scores import Scored
from ..evaluation.statistics.comparisons import holm
from ..evaluation.statistics.distances import distances_to_training
from ..evaluation.statistics.failures import Failure, Part, beyond_doubt, failure
from ..evaluation.statistics.image_parts import PAIR, Predicted, parts
from ..evaluation.stored_predictions import cells_of, out_of_fold
from ..features.extraction import feature_names
from ..images.groups import clusters
from ..images.index import ImageIndex
from ..reporting.label_words import failures_words
from ..runs.label_answer import Failures, WorsePart
from ..runs.workspace import Workspace
from ..serving.training_reference import stage_scale
from .audit_index import Audited
from .find_suspects import SHEETS
from .map_features import write_feature_map
from .prepare_run import PreparedRun

if TYPE_CHECKING:
    import pandas as pd

TABLE = "failures.csv"
DISTANCE = "distance to the training images"
_KNOWN = frozenset({"image_id", "label", "patient", "path", "copies", "group", "row"})
_FEWEST_NUMBERS = 11
"""Different values of a column that holds numbers, so that it is cut into fifths; else each value is a part."""
_SHEETS = 2


def find_failures(
    grid: Grid, store: RecordStore, scored: Scored, prepared: PreparedRun, audited: Audited, workspace: Workspace
) -> Failures | None:
    """Count the errors of the best combination in every part of the images; writes ``failures.csv`` and its sheets.

    One sheet shows the images of the worse parts, another the surest errors; ``feature_map.parquet`` is written, too.

    None without a best combination.
    """
    names = tuple(scored.winner[name] for name in ("extractor", "selector", "classifier")) if scored.winner else None
    best = next((one for one in grid.combinations() if one.labels == names), None)
    probabilities = out_of_fold(grid, cells_of(grid, store, best)) if best else None
    if best is None or probabilities is None:
        return None
    images = _images(grid, probabilities, audited)
    distances = _distances(best, grid, prepared)
    if distances is not None:
        write_feature_map(np.load(best.source.matrix, mmap_mode="r")[: len(grid.task)], workspace.folder)
        images = replace(images, numbers={**images.numbers, DISTANCE: distances})
    table = failures_table(images)
    workspace.folder.write_table(TABLE, table[(table["wrong"] > 0) | (table["fact"] != PAIR)])
    worse = table[table["worse"]]
    pictures = _pictures(images, worse[["fact", "part"]], probabilities, audited.index)
    draw_pictures("failures", pictures, workspace.folder.path / SHEETS, _SHEETS)
    draw_pictures("worst", _surest_errors(images, probabilities, audited.index), workspace.folder.path / SHEETS, 1)
    answer = Failures(float(images.errors.mean()), len(table), tuple(map(_worse_part, worse.to_dict("records"))))
    return replace(answer, words=failures_words(answer))


def failures_table(images: Predicted) -> pd.DataFrame:
    """Table for ``failures.csv``: parts that are worse beyond doubt first, then by how many errors are too many."""
    import pandas as pd

    rows = [_row(images, part) for part in parts(images)]  # one part in memory at a time: there may be thousands
    table = pd.DataFrame(rows, columns=["fact", "part", *Failure._fields[:-1], "expected_by_class", "p"])
    table["p_holm"] = holm(table["p"].to_numpy(np.float64))
    table["worse"] = beyond_doubt(table["p_holm"].to_numpy(np.float64))
    excess = table["wrong"] - table["elsewhere"] * table["images"]
    return table.iloc[np.lexsort((-excess, ~table["worse"]))].reset_index(drop=True)


def _row(images: Predicted, part: Part) -> dict[str, Any]:
    """A line of the table; pairs of classes count other errors than classes do."""
    expected = float("nan") if part.fact == PAIR else images.expected(part)
    return {"fact": part.fact, "part": part.name, "expected_by_class": expected, **failure(part)._asdict()}


def _worse_part(row: dict[Any, Any]) -> WorsePart:
    return WorsePart.from_json({**row, "p": row["p_holm"]})


def _images(grid: Grid, probabilities: Floats, audited: Audited) -> Predicted:
    """What was predicted, and every fact about the images."""
    index, task = audited.index, grid.task
    keys = [name for name in ("image_id", "copies") if name in index.images]
    contents = clusters(*(index.images[name].to_numpy() for name in keys))
    patients = index.images["patient"].to_numpy(dtype=str)
    patients = np.full(len(task), "") if index.pseudo else patients
    predicted = probabilities.argmax(axis=2)
    numbers, texts = _columns(index)
    return Predicted(
        task.labels, task.classes, predicted, task.groups, contents, patients, _quality(audited) | numbers, texts
    )


def _quality(audited: Audited) -> dict[str, Floats]:
    """Brightness, contrast, sharpness, noise and size, from the measurements of the audit."""
    place = {name: position for position, name in enumerate(audited.names)}

    def mean(*names: str) -> Floats:
        return np.asarray(audited.measurements[:, [place[name] for name in names]].mean(axis=1), dtype=np.float64)

    pixels = mean("file.width") * mean("file.height")
    return {
        "brightness": mean("colour.mean.r", "colour.mean.g", "colour.mean.b"),
        "contrast": mean("colour.sd.r", "colour.sd.g", "colour.sd.b"),
        "sharpness": mean("sharpness.one to three"),
        "noise": mean("sharpness.band 8 to 14"),
        "size (pixels)": pixels,
    }


def _columns(index: ImageIndex) -> tuple[dict[str, Floats], dict[str, np.ndarray]]:
    """Further columns of the layout or the manifest: those that hold numbers, and those that hold texts."""
    import pandas as pd

    numbers: dict[str, Floats] = {}
    texts: dict[str, np.ndarray] = {}
    for name in index.images.columns.difference([*_KNOWN], sort=False):
        values = index.images[name].astype(str)
        converted = pd.to_numeric(values.where(values != ""), errors="coerce")
        if (converted.notna() | (values == "")).all() and converted.nunique() >= _FEWEST_NUMBERS:
            numbers[name] = converted.to_numpy(dtype=np.float64)
        else:
            texts[name] = values.to_numpy(dtype=str)
    return numbers, texts


def _distances(best: Combination, grid: Grid, prepared: PreparedRun) -> Floats | None:
    """From each image to the training images of its fold; None for a network that is trained end to end."""
    extractor = prepared.extractors.get(best.source.label)
    if best.source.images or extractor is None:
        return None
    features = np.load(best.source.matrix, mmap_mode="r")[: len(grid.task)]
    _, weight = stage_scale(features, feature_names(extractor))
    return distances_to_training(features, grid.folds, weight)


def _pictures(images: Predicted, worse: pd.DataFrame, probabilities: Floats, index: ImageIndex) -> list[Picture]:
    """Wrong images, those of the worse parts first, and the surest errors first."""
    mean = probabilities.mean(axis=0)
    own = mean[np.arange(len(mean)), images.labels]
    places = {names: place for place, names in enumerate(worse.itertuples(index=False, name=None))}
    part_of = np.full(len(mean), len(places))
    for part in parts(images):
        if (place := places.get((part.fact, part.name))) is not None:
            errors = part.inside & (part.errors > 0)
            part_of[errors] = np.minimum(part_of[errors], place)
    wrong = np.flatnonzero(images.errors > 0)
    rows = wrong[np.lexsort((own[wrong], part_of[wrong]))][: _SHEETS * SHEET_SIZE]
    names = [f"{fact}: {part}" for fact, part in places] + [""]
    classes, paths = images.classes, index.images["path"].tolist()
    return [
        Picture(
            paths[row],
            f"predicted {classes[mean[row].argmax()]}",
            [f"labelled {classes[images.labels[row]]}", names[part_of[row]]],
        )
        for row in rows.tolist()
    ]


def _surest_errors(images: Predicted, probabilities: Floats, index: ImageIndex) -> list[Picture]:
    """Images that are predicted wrongly, those with the most probable wrong class first."""
    mean = probabilities.mean(axis=0)
    predicted, sure = mean.argmax(axis=1), mean.max(axis=1)
    wrong = np.flatnonzero(predicted != images.labels)
    rows = wrong[np.argsort(-sure[wrong], kind="stable")][:SHEET_SIZE]
    classes, paths = images.classes, index.images["path"].tolist()
    return [
        Picture(
            paths[row],
            f"predicted {classes[predicted[row]]}",
            [f"labelled {classes[images.labels[row]]}", f"probability {100 * sure[row]:.1f} %"],
        )
        for row in rows.tolist()
    ]
