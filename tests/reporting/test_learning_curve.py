"""Words of a learning curve: what the last doubling says, and which combinations change places."""

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from leukobench.evaluation.metrics import metric_of
from leukobench.reporting.learning_curve import curve_figure, curve_lines, draw_curves

from .figures.scene import marks, outside

ACCURACY = metric_of("balanced_accuracy")
NAN = (float("nan"),) * 3
NONE = pd.DataFrame()


def table(*gains: tuple[float, float, float], values: tuple[float, ...] = (0.8, 0.85, 0.9)) -> pd.DataFrame:
    """The best combination, with what everything adds to each size, and one that is the best with the fewest."""
    rows = []
    for name, scores in (("net", values), ("forest", (0.82, 0.83, 0.84))):
        for size, value, gain in zip((100, 200, 400), scores, (*gains, NAN), strict=True):
            row: dict[str, Any] = {"extractor": name, "selector": "none", "classifier": "lda", "units": size}
            row |= {"value": value, "low": value - 0.02, "high": value + 0.02}
            for what in ("gain", "doubling"):
                row |= dict(zip((what, f"{what}_low", f"{what}_high"), gain, strict=True))
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        ([(0.05, 0.04, 0.06), (0.002, -0.004, 0.008)], "LESS THAN A POINT MORE: 200 of the 400 patients do as well"),
        ([(0.001, -0.004, 0.006), (0.001, -0.004, 0.006)], "LESS THAN A POINT MORE: 100 of the 400 patients"),
        ([(0.001, -0.004, 0.006), (0.02, 0.005, 0.035)], "UNDECIDED: from 200 to 400 patients adds 2.00 points [0.50"),
        ([(0.1, 0.08, 0.12), (0.03, 0.015, 0.045)], "NOT LEVELLED OFF: from 200 to 400 patients adds 3.00 points"),
        ([NAN, NAN], "UNDECIDED"),
    ],
)
def test_the_verdict_goes_by_intervals(gains: list[tuple[float, float, float]], words: str) -> None:
    lines = curve_lines(table(*gains), NONE, ACCURACY, "patients")
    assert words in lines[1]
    assert "trained on all 400 patients" in lines[0]
    assert "90.00 % [88.00 to 92.00] balanced accuracy; with 200: 85.00 %" in lines[0]


def test_changes_of_places_are_named() -> None:
    gains = [(0.1, 0.08, 0.12), (0.03, 0.015, 0.045)]
    line = curve_lines(table(*gains), NONE, ACCURACY, "images")[2]
    assert line.startswith("With 100 images the best is forest x none x lda, 82.00 %")
    assert "No two combinations change places" in line
    row = {
        f"{side}_{part}": name
        for side, name in (("few", "forest"), ("all", "net"))
        for part in ("extractor", "selector", "classifier")
    }
    row |= {"units": 100, "with_few": 0.02, "with_few_low": 0.01, "with_few_high": 0.03}
    row |= {"with_all": -0.06, "with_all_low": -0.08, "with_all_high": -0.04}
    line = curve_lines(table(*gains), pd.DataFrame([row]), ACCURACY, "images")[2]
    assert "1 pair changes places beyond the intervals" in line
    assert "by 2.00 points [1.00 to 3.00] with 100 images and falls behind it by 6.00 points [4.00 to 8.00]" in line


def test_the_figure_is_a_picture(tmp_path: Path) -> None:
    gains = [(0.1, 0.08, 0.12), (0.03, 0.015, 0.045)]
    draw_curves(table(*gains), ACCURACY, "images", ["line"], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg", ".pdf"}
    figure = curve_figure(table(*gains), ACCURACY, "images", ["line"], "curve")
    assert not outside(figure.specs[0])
    drawn = [item["y"] for kind, item, _, height in marks(figure.specs[0]) if kind == "symbol"]
    assert len(drawn) == 6
    assert alt.Chart.from_dict(figure.specs[0])
