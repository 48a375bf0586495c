"""Features as a table: the vectors of a run, or of a folder of images, in one parquet file for other tools."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.choice import Choice
from ..config.experiment_file import for_folder
from ..errors import ConfigurationError, ImagesChangedError
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, feature_names, pending
from ..features.extractors import make_extractor
from ..images.index import index_images
from ..machine import Progress, cores
from ..runs.finished import FinishedRun
from ..runs.progress import silent
from ..storage import atomic_path

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROWS = 4096
"""Images whose features are in memory at a time."""


def export_features(
    source: Path, out: Path, extractor: str | None = None, workers: int | None = None, progress: Progress = silent
) -> tuple[str, int]:
    """Write the features of every image into one parquet file, from the cache where they are there.

    Parameters
    ----------
    source : Path
        Folder of a finished run, or a folder or manifest of images.
    out : Path
        File ``.parquet``: image_id (SHA-256 of the file, hex), path, label, patient, and a column of float32 for each
        feature.
    extractor : str, optional
        As the leaderboard names it; of a folder of images, any of ``leukobench list extractors``. The first one of the
        experiment by default.
    workers : int, optional
    progress : Progress

    Returns
    -------
    label : str
        Of the extractor.
    images : int

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError, ImagesChangedError, StorageError
    """
    if out.suffix != ".parquet":
        raise ConfigurationError("Features are written as parquet.", expected="--out FILE.parquet", received=str(out))
    images, choice = _of_run(source, extractor) if _is_run(source) else _of_images(source, extractor)
    opened, threads = make_extractor(choice.name, choice.parameters), workers or cores()
    files = list(zip(images["image_id"], images["path"], strict=True))
    cache = FeatureCache.shared(opened.identity)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "features.npy"
        with progress(f"extracting {choice.label}", len(pending(files, cache))) as advance:
            unreadable = extract_to(target, opened, files, cache, threads, advance)
        if unreadable:
            raise ImagesChangedError(unreadable)
        _write(out, images, np.load(target, mmap_mode="r"), feature_names(opened))
    return choice.label, len(images)


def _is_run(source: Path) -> bool:
    return (source / "experiment.yaml").is_file() and (source / "images.parquet").is_file()


def _of_run(source: Path, extractor: str | None) -> tuple[pd.DataFrame, Choice]:
    run = FinishedRun.open(source)
    choices = {choice.label: choice for choice in run.experiment.extractors}
    label = extractor or next(iter(choices))
    if label not in choices:
        raise ConfigurationError(
            f"The run has no extractor {label}.",
            expected=", ".join(choices),
            received=label,
            fix="choose one of these.",
        )
    return run.images, choices[label]


def _of_images(source: Path, extractor: str | None) -> tuple[pd.DataFrame, Choice]:
    settings: dict[str, Any] = {"extractors": [extractor]} if extractor else {}
    experiment = for_folder(source, **settings)
    images = experiment.images
    return index_images(images.folder, images.layout, images.group).images, experiment.extractors[0]


def _write(out: Path, images: pd.DataFrame, features: NDArray[np.float32], names: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = images[["image_id", "path", "label", "patient"]].astype(str)

    def parts() -> Iterator[pa.Table]:
        for start in range(0, len(texts), _ROWS):
            rows = slice(start, start + _ROWS)
            table = pa.Table.from_pandas(texts.iloc[rows], preserve_index=False)
            for name, column in zip(names, np.ascontiguousarray(features[rows].T), strict=True):
                table = table.append_column(name, pa.array(column))
            yield table

    fields = [*((name, pa.string()) for name in texts), *((name, pa.float32()) for name in names)]
    with atomic_path(out) as temporary, pq.ParquetWriter(temporary, pa.schema(fields), compression="zstd") as writer:
        for part in parts():
            writer.write_table(part.cast(pa.schema(fields)))
