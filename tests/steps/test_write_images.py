"""Tables that name images join by the row of images.parquet, also where files are copies or sealed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.pipeline import run
from leukobench.runs.finished import FinishedRun


@pytest.fixture
def copied(images: Path) -> list[Path]:
    """One file of each of ten patients, copied beside itself."""
    firsts = {path.name.split("_")[0]: path for path in sorted(images.rglob("*.jpg"))}
    for patient, path in list(firsts.items())[:10]:
        shutil.copy(path, path.with_name(f"{patient}_9000.jpg"))
    return sorted(images.rglob("*.jpg"))


@pytest.mark.slow
@pytest.mark.parametrize("holdout", [pytest.param(0.0, marks=pytest.mark.slow), 0.25])
def test_rows_join_every_table_with_the_images(experiment: Any, copied: list[Path], holdout: float) -> None:
    small = {"selectors": ["none"], "classifiers": ["naive_bayes"], "evaluation": {"folds": 3, "holdout": holdout}}
    results = FinishedRun.open(run(experiment(**small), workers=1).folder)
    images = results.images
    assert images["row"].tolist() == list(range(len(images)))
    assert (len(images) < len(copied)) == bool(holdout)
    for name, table in (("predictions", results.predictions), ("folds", results.folds)):
        joined = table.merge(images, on="row", suffixes=("", "_of_image"), validate="many_to_one")
        assert len(joined) == len(table)
        assert (joined["image_id"] == joined["image_id_of_image"]).all(), name
        assert (joined["label"] == joined["label_of_image"]).all(), name
    predictions = results.predictions
    assert predictions["path"].tolist() == images["path"].iloc[predictions["row"]].tolist()
    assert predictions.groupby(["extractor", "classifier"])["row"].agg(["nunique", "size"]).eq(len(images)).all().all()
    assert set(predictions.loc[predictions["kind"] == "shortcut", "extractor"].str.split(":").str[0]) == {"shortcut"}
    copies = results.table("audit/copies.parquet")
    assert len(copies) == 10
    for side in "ab":
        assert copies[f"row_{side}"].dtype == "Int64"
        used = copies[copies[f"row_{side}"].notna()]
        assert images["path"].iloc[used[f"row_{side}"]].tolist() == used[f"path_{side}"].tolist()
        unused = set(copies.loc[copies[f"row_{side}"].isna(), f"path_{side}"])
        assert bool(unused) == bool(holdout)
        assert unused <= set(results.table("sealed.parquet").get("path", pd.Series(dtype=str)))
