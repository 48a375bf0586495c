"""Features leave a run, or a folder, as a table that other tools read, and that enters a run again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from leukobench.bundling.fit import fit
from leukobench.config.experiment_file import for_folder
from leukobench.errors import BundleError, ConfigurationError
from leukobench.evaluation.combination_names import names_of
from leukobench.features.embedding_table import EmbeddingTable
from leukobench.pipeline import run
from leukobench.runs.finished import FinishedRun
from leukobench.steps.score_views import LEAST_IMAGES
from leukobench.studies.external import Request, run_external_test
from leukobench.studies.external_images import ImageSource
from leukobench.studies.feature_export import export_features


def test_a_run_gives_its_features_and_takes_them_again(tiny_run: Path, tmp_path: Path) -> None:
    finished = FinishedRun.open(tiny_run)
    label, count = export_features(tiny_run, tmp_path / "x.parquet", workers=1)
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert label == finished.experiment.extractors[0].label
    assert count == len(table) == len(finished.images)
    assert table[["image_id", "path", "label"]].equals(finished.images[["image_id", "path", "label"]].astype("str"))
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


@pytest.mark.slow
def test_a_table_goes_through_a_whole_run_but_not_to_new_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = []
    for number in range(LEAST_IMAGES):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(path)
        rows.append(
            {"path": f"{path.parent.name}/{path.name}"} | dict(zip("vwxyz", rng.normal(number % 2, 1, 5), strict=True))
        )
    pd.DataFrame(rows).to_parquet(tmp_path / "x.parquet")
    experiment = for_folder(
        tmp_path / "images",
        extractors=[{"table": str(tmp_path / "x.parquet"), "key": "path"}],
        selectors=["none"],
        classifiers=["lda"],
        results=tmp_path / "results",
    )
    outcome = run(experiment, workers=1)
    names = names_of(outcome.leaderboard.iloc[0].to_dict())
    task = FinishedRun.open(outcome.folder).task
    table = pd.DataFrame(rows).set_index("path")
    features = table.loc[["/".join(Path(path).parts[-2:]) for path in task.paths]].to_numpy(np.float32).astype(float)
    predicted = pd.read_parquet(outcome.folder / "predictions.parquet").query("kind == 'combination'").set_index("row")
    for _, part in predicted.groupby("fold"):
        train = np.setdiff1d(np.arange(len(task)), part.index)
        plain = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features[train], task.labels[train])
        np.testing.assert_allclose(part["p_b"], plain.predict_proba(features[part.index])[:, 1], atol=1e-9)
    answer = json.loads((outcome.folder / "answer.json").read_text())
    assert "a table of embeddings" in answer["views"]["left_out"][0]
    with pytest.raises(BundleError, match="has no vectors of new images"):
        fit(outcome.folder, names, tmp_path / "bundle", workers=1)
    with pytest.raises(ConfigurationError, match="no combination to test"):
        run_external_test(Request(outcome.folder, ImageSource(tmp_path / "images")), workers=1)
