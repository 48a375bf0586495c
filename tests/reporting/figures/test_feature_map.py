"""The map of features: a place an image, colours by what is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import altair as alt
import pandas as pd

from leukobench.reporting.figures.feature_map import feature_map_figure
from leukobench.runs.finished import FinishedRun

from .scene import marks, outside

HOSTILE = "</script>'] || alert(1)"


def mapped(run: FinishedRun, folder: Path, patients: list[str]) -> FinishedRun:
    images = pd.DataFrame({"row": range(6), "label": ["a", HOSTILE] * 3, "patient": patients, "path": ["x/é.png"] * 6})
    images.to_parquet(folder / "images.parquet")
    places = {"row": [0, 2, 3, 5], "x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, -1.0, 0.0, 2.0]}
    pd.DataFrame(places).assign(share_x=0.4, share_y=0.123).to_parquet(folder / "feature_map.parquet")
    return replace(run, folder=folder)


def test_points_are_coloured_by_class_and_patients_can_be_chosen(run: FinishedRun, tmp_path: Path) -> None:
    figure = feature_map_figure(mapped(run, tmp_path, [HOSTILE, "p", "q", "q", "r", "r"]))
    assert figure is not None
    (spec,) = figure.specs
    alt.Chart.from_dict(spec)
    assert not outside(spec)
    points = [item for kind, item, _, _ in marks(spec) if kind == "symbol"]
    assert len(points) == 4
    assert len({item["fill"] for item in points}) == 2
    assert spec["params"][0]["bind"]["options"] == ["class", "patient"]
    assert [row["class"] for row in spec["data"]["values"]] == ["a", "a", HOSTILE, HOSTILE]
    assert "12.3 % of the variance" in figure.svgs[0]


def test_without_patients_there_is_nothing_to_choose(run: FinishedRun, tmp_path: Path) -> None:
    figure = feature_map_figure(mapped(run, tmp_path, [""] * 6))
    assert figure is not None
    assert "bind" not in figure.specs[0]["params"][0]


def test_an_older_run_has_no_map(run: FinishedRun) -> None:
    assert feature_map_figure(run) is None
