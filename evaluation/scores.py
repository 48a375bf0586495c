"""From records to tables: predictions of every image, scores of every fold, one row a combination."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..storage import atomic_path
from .folds import Fold
from .grid import Combination, Grid
from .metrics import score
from .records import Record, RecordStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "auroc")
COSTS = ("selector_s", "fit_s", "predict_s", "features")
NAMES = ("extractor", "selector", "classifier")


def write_scores(grid: Grid, store: RecordStore, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write ``predictions.parquet`` and ``scores.parquet``, computed from the stored predictions.

    Returns
    -------
    scores : DataFrame
        Tidy: extractor, selector, classifier, repeat, fold, metric, value. Costs (``selector_s``, ``fit_s``,
        ``predict_s``, ``features``) are metrics too; a metric that is not defined in a fold is NaN.
    notes : DataFrame
        extractor, selector, classifier, repeat, fold, kind (``error`` or ``warning``), text.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    scores: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    schema = _schema(grid)
    with (
        atomic_path(folder / "predictions.parquet") as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for combination in grid.combinations():
            for place, record, fold in _cells(grid, store, combination):
                scores += _scores(place, record, grid, fold)
                notes += _notes(place, record)
                if record.probabilities is not None:
                    writer.write_table(pa.table(_predictions(place, record, grid, fold), schema=schema))
    table = pd.DataFrame(scores, columns=[*NAMES, "repeat", "fold", "metric", "value"])
    with atomic_path(folder / "scores.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    return table, pd.DataFrame(notes, columns=[*NAMES, "repeat", "fold", "kind", "text"])


def summarise(scores: pd.DataFrame, notes: pd.DataFrame, rank_by: str) -> pd.DataFrame:
    """One row a combination, best first; one that failed in any fold has no numbers and stands last.

    Returns
    -------
    DataFrame
        rank, extractor, selector, classifier, then ``<metric>`` (mean over folds) and ``<metric>_sd`` (standard
        deviation over folds, ddof 1: a spread, no confidence interval), mean costs, folds, status.
    """
    keys = list(NAMES)
    failed = notes[notes.kind == "error"].groupby(keys).size().rename("failed")
    wide = scores.set_index([*keys, "repeat", "fold", "metric"])["value"].unstack(sort=False)
    wide = wide.reindex(columns=wide.columns.union([*METRICS, *COSTS], sort=False))
    folds = wide.groupby(level=keys, sort=False)
    mean, spread = folds.mean(), folds.std().add_suffix("_sd")
    columns = [name for metric in mean.columns for name in (metric, f"{metric}_sd")]
    undefined = wide[rank_by].isna().groupby(level=keys, sort=False).sum().rename("undefined")
    table = mean.join(spread)[columns].join([folds.size().rename("scored"), undefined]).join(failed, how="outer")
    counts = table[["scored", "undefined", "failed"]].fillna(0).astype(int)
    table.loc[counts.failed > 0, columns] = np.nan
    table = table.drop(columns=list(counts)).assign(folds=counts.scored + counts.failed)
    table["status"] = [
        _status(*row, rank_by) for row in zip(counts.scored, counts.undefined, counts.failed, strict=True)
    ]
    table = table.reset_index().sort_values([rank_by, *keys], ascending=[False, True, True, True], na_position="last")
    table.insert(0, "rank", table[rank_by].rank(method="min", ascending=False).astype("Int64"))
    return table.reset_index(drop=True)


def _status(scored: int, undefined: int, failed: int, rank_by: str) -> str:
    if failed:
        return f"failed in {failed} of {scored + failed} folds"
    return f"{rank_by} undefined in {undefined} of {scored} folds: a class is absent" if undefined else "ok"


def _cells(grid: Grid, store: RecordStore, combination: Combination) -> Iterator[tuple[dict[str, Any], Record, Fold]]:
    for fold in grid.folds:
        record = store.read(grid.key(combination, fold))
        place = dict(zip(NAMES, combination.labels, strict=True)) | {"repeat": fold.repeat, "fold": fold.number}
        yield place, record or Record(None, error="no record: the run did not get here"), fold


def _scores(place: dict[str, Any], record: Record, grid: Grid, fold: Fold) -> list[dict[str, Any]]:
    if record.probabilities is None:
        return []
    values = score(grid.task.labels[fold.test], record.probabilities, grid.task.classes)
    costs = {name: getattr(record, name) for name in COSTS}
    return [place | {"metric": metric, "value": float(value)} for metric, value in (values | costs).items()]


def _notes(place: dict[str, Any], record: Record) -> list[dict[str, Any]]:
    errors = [place | {"kind": "error", "text": record.error}] if record.error else []
    return errors + [place | {"kind": "warning", "text": text} for text in record.warnings]


def _schema(grid: Grid) -> pa.Schema:
    import pyarrow as pa

    texts = [(name, pa.string()) for name in (*NAMES, "image_id", "label", "predicted")]
    numbers = [("repeat", pa.int32()), ("fold", pa.int32())]
    return pa.schema([*texts, *numbers, *((f"p_{name}", pa.float64()) for name in grid.task.classes)])


def _predictions(place: dict[str, Any], record: Record, grid: Grid, fold: Fold) -> dict[str, Any]:
    values = np.asarray(record.probabilities)
    classes = np.asarray(grid.task.classes, dtype=object)
    columns: dict[str, Any] = {name: [value] * len(values) for name, value in place.items()}
    columns |= {"image_id": grid.task.image_ids[fold.test].tolist(), "label": classes[grid.task.labels[fold.test]]}
    columns["predicted"] = classes[values.argmax(axis=1)]
    return columns | {f"p_{name}": values[:, position] for position, name in enumerate(grid.task.classes)}
