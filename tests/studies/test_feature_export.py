"""Features leave a run, or a folder, as a table that other tools read, and that enters a run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukobench.errors import ConfigurationError
from leukobench.features.embedding_table import EmbeddingTable
from leukobench.runs.finished import FinishedRun
from leukobench.studies.feature_export import export_features


def test_a_run_gives_its_features_and_takes_them_again(tiny_run: Path, tmp_path: Path) -> None:
    run = FinishedRun.open(tiny_run)
    label, count = export_features(tiny_run, tmp_path / "x.parquet", workers=1)
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert label == run.experiment.extractors[0].label
    assert count == len(table) == len(run.images)
    assert table[["image_id", "path", "label"]].equals(run.images[["image_id", "path", "label"]].astype("str"))
    again = EmbeddingTable(str(tmp_path / "x.parquet"), "image_id")
    again.write(tmp_path / "x.npy", list(zip(table["image_id"], table["path"], strict=True)))
    assert np.array_equal(np.load(tmp_path / "x.npy"), table.iloc[:, 4:].to_numpy())
    with pytest.raises(ConfigurationError, match="no extractor resnet"):
        export_features(tiny_run, tmp_path / "y.parquet", "resnet")
    with pytest.raises(ConfigurationError, match="written as parquet"):
        export_features(tiny_run, tmp_path / "y.csv")


def test_a_folder_of_images_gives_those_of_any_extractor(plugin: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 20, 3), np.uint8)).save(path)
    export_features(tmp_path / "images", tmp_path / "x.parquet", f"{plugin}:Colours", workers=1)
    table = pd.read_parquet(tmp_path / "x.parquet").set_index("path")
    for path, row in table.iterrows():
        pixels = np.asarray(Image.open(str(path)), float)
        expected = np.concatenate([pixels.mean(axis=(0, 1)), pixels.std(axis=(0, 1))])
        np.testing.assert_allclose(row.iloc[3:].astype(float), expected, rtol=1e-4)
