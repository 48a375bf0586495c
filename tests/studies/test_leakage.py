"""`leukobench leakage` as it is used: tables, figure, going on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from leukobench.cli import cli
from leukobench.errors import ConfigurationError, EveryCombinationFailedError
from leukobench.evaluation.leaks import PROTOCOLS
from leukobench.reporting.leakage_figure import leakage_figure, leakage_lines
from leukobench.studies.leakage import measure_leakage

from ..reporting.figures.scene import marks, outside


@pytest.fixture
def experiment(experiment: Any) -> Any:
    """One selector and one classifier, unless a test says otherwise."""
    return lambda **said: experiment(**({"selectors": [{"anova": {"n_features": 3}}], "classifiers": ["knn"]} | said))


@pytest.mark.slow
def test_tables_and_figure_hold_every_protocol(experiment: Any) -> None:
    outcome = measure_leakage(experiment(), sizes=(48, None), repeats=2, workers=1)
    expected = {name for name in PROTOCOLS if not name.startswith("SMOTE")}  # the classes are equally frequent
    assert set(outcome.table["protocol"]) == expected
    assert set(outcome.summary["size"]) == {48, "all"}
    table = pd.read_csv(outcome.folder / "leakage.csv")
    np.testing.assert_allclose(table["inflation"], table["leaky"] - table["honest"], atol=1e-12)
    assert len(table) == len(expected) * (2 * 2 + 1) * 2
    wanted = "metric == 'balanced_accuracy' and size == '48' and labels == 'permuted'"
    mean = 100 * table.query(wanted).groupby("protocol")["inflation"].mean()
    summary = outcome.summary.query("size == 48 and labels == 'permuted'").set_index("protocol")["inflation"]
    np.testing.assert_allclose(summary[mean.index], mean, atol=1e-9)
    with Image.open(outcome.folder / "leakage.png") as picture:
        assert min(picture.size) > 500
    lines = leakage_lines(outcome.summary)
    assert sum(line.startswith(tuple(expected)) for line in lines) == 3 * len(expected)
    assert "24 patients" in outcome.lines[0]


@pytest.mark.slow
def test_the_same_command_computes_nothing_twice(experiment: Any, tmp_path: Path) -> None:
    first = measure_leakage(experiment(), sizes=(48,), repeats=2, workers=1)
    records = {path.name: path.stat().st_mtime_ns for path in (first.folder / "records").iterdir()}
    again = measure_leakage(experiment(), sizes=(48,), repeats=2, workers=1)
    assert {path.name: path.stat().st_mtime_ns for path in (first.folder / "records").iterdir()} == records
    pd.testing.assert_frame_equal(first.table, again.table)
    assert not list(first.folder.rglob("*.npy"))


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"evaluation": {"folds": 3, "tuning": "grid"}}, "tuning: grid"),
        ({"evaluation": {"folds": 3, "balance": "smote"}}, "balance: smote"),
        ({"classifiers": [{"svm_rbf": {"C": {"search": [1, 10]}}}]}, "svm_rbf"),
    ],
)
def test_what_would_be_left_out_is_refused(experiment: Any, said: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match="with fixed parameters") as refused:
        measure_leakage(experiment(**said))
    assert named in str(refused.value)


@pytest.mark.slow
def test_an_extractor_that_fails_is_a_message(experiment: Any, plugin: str) -> None:
    with pytest.raises(ConfigurationError, match="Leaks cannot be measured without features"):
        measure_leakage(experiment(extractors=[f"{plugin}:Raises"]), sizes=(48,), repeats=1, workers=1)


@pytest.mark.slow
def test_the_command_takes_an_experiment_file(
    smears: Path, tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.yaml").write_text(
        f"images: {smears}\nextractors: ['{plugin}:Colours']\nselectors: [{{anova: {{n_features: 3}}}}]\n"
        "classifiers: [naive_bayes]\nevaluation: {folds: 3}\n"
    )
    said = ["leakage", str(tmp_path / "mine.yaml"), "--size", "40", "--repeats", "1", "--no-all", "--workers", "1"]
    result = CliRunner().invoke(cli, [*said, "--results", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "random split" in result.output
    assert (tmp_path / "out" / "mine-leakage" / "leakage.png").exists()
    result = CliRunner().invoke(cli, [*said, "--layout", "folders"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("low", "high", "decided"),
    [(-13, 15, False), (-0.5, 2.5, False), (-1.5, 1.5, True), (0.5, 15, True)],
)
def test_an_interval_of_nothing_and_of_much_decides_nothing(low: float, high: float, decided: bool) -> None:
    sides = {"honest": 80.0, "leaky": 81.0, "inflation": (low + high) / 2, "low": low, "high": high, "most": high}
    row = {"labels": "as they are", "protocol": "copies across", "size": 48, **sides, "failed": 0, "what": ""}
    sure = row | {"protocol": "selection before", "low": 2.0, "high": 3.0}
    text = "\n".join(leakage_lines(pd.DataFrame([row, sure])))
    words = "Cannot be decided with so few repeats (more: --repeats): copies across (true labels, 48 images)."
    assert (words in text, text.count("cannot be decided")) == ((False, 0) if decided else (True, 1))


@pytest.mark.slow
def test_what_fails_is_a_row_without_a_number(experiment: Any, plugin: str) -> None:
    said = experiment(classifiers=["knn", f"{plugin}:FailsInOneFold"])
    outcome = measure_leakage(said, sizes=(48,), repeats=1, workers=1)
    table = outcome.table.query("metric == 'accuracy'").set_index("classifier")["inflation"]
    assert table["knn"].notna().all()
    assert table[f"{plugin}:FailsInOneFold"].isna().any()
    assert outcome.summary["failed"].sum() > 0
    assert any("failed)" in line for line in leakage_lines(outcome.summary))
    with pytest.raises(EveryCombinationFailedError, match="with and without a leak"):
        measure_leakage(experiment(classifiers=[f"{plugin}:FailsInOneFold"]), sizes=(48,), repeats=1, workers=1)


@pytest.mark.slow
def test_without_a_selector_the_split_and_the_copies_are_still_measured(experiment: Any) -> None:
    outcome = measure_leakage(experiment(selectors=["none"]), sizes=(48,), repeats=1, workers=1)
    assert set(outcome.table["protocol"]) == {"random split", "copies across", "scaling before"}
    assert outcome.table["inflation"].notna().all()


def test_the_figure_has_a_dot_for_each_combination_and_a_bar_for_each_mean() -> None:
    means = [
        {"labels": labels, "protocol": protocol, "size": size, "inflation": 3.0, "low": -1.0, "high": float("nan")}
        for labels in ("as they are", "permuted") for protocol in ("a <b>", "b") for size in (48, "all")
    ]  # fmt: skip
    rows = [
        {**row, "inflation": share, "extractor": "e", "selector": "s", "classifier": str(place)}
        for row in means for place, share in enumerate((-0.02, 0.01, 0.12))
    ]  # fmt: skip
    figure = leakage_figure(pd.DataFrame(rows), pd.DataFrame(means), ["line"], "leakage")
    alt.Chart.from_dict(figure.specs[0])
    assert not outside(figure.specs[0])
    dots = [item for kind, item, _, _ in marks(figure.specs[0]) if kind == "symbol"]
    assert len(dots) == len(rows)
    assert "a &lt;b&gt;" in figure.svgs[0]
