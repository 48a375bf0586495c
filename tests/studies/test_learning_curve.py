"""Learning curves of a run: its own score with everything, nothing fitted twice, mistakes in words."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from leukobench.cli.group import cli
from leukobench.errors import ConfigurationError
from leukobench.studies import learning_curve
from leukobench.studies.learning_curve import measure_learning_curve


@pytest.mark.slow
def test_a_run_gets_its_curves_and_a_second_call_fits_nothing(
    finished_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = finished_run
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    done = CliRunner().invoke(cli, ["learning-curve", str(finished.folder), "--workers", "1"])
    assert done.exit_code == 0, done.output
    folder = Path(f"{finished.folder}-learning-curve")
    assert {"learning_curve.csv", "crossings.csv", "learning_curve.png"} <= {path.name for path in folder.iterdir()}
    table, board = pd.read_csv(folder / "learning_curve.csv"), finished.leaderboard
    names = ["extractor", "selector", "classifier"]
    ranked = board[board["rank"].notna()].set_index(names)["balanced_accuracy"]
    whole = table.groupby(names, sort=False).tail(1).set_index(names)["value"]
    assert whole.to_dict() == pytest.approx(ranked.to_dict())
    assert table["units"].nunique() == table.groupby(names).size().iloc[0] >= 2
    assert (table["low"] <= table["value"]).all()
    assert "UNDECIDED" in done.output or "LESS THAN" in done.output or "NOT LEVELLED" in done.output
    assert {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()} == before
    fitted = []
    monkeypatch.setattr("leukobench.evaluation.scheduling.run_unit", lambda *unit: fitted.append(unit))
    again = measure_learning_curve(finished.folder, workers=1)
    assert not fitted
    pd.testing.assert_frame_equal(again.table, table, check_exact=False)
    assert json.loads((folder / "learning_curve.json").read_text())["lines"] == again.lines
    assert len(measure_learning_curve(finished.folder, best=1, workers=1).table) == table["units"].nunique()


def test_what_has_no_curve_is_refused(finished_run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no finished run"):
        measure_learning_curve(tmp_path)
    monkeypatch.setattr(learning_curve, "deepest", lambda *rest: 0)
    with pytest.raises(ConfigurationError, match="cannot be halved"):
        measure_learning_curve(finished_run.folder)
    done = CliRunner().invoke(cli, ["learning-curve", str(tmp_path)])
    assert done.exit_code == 2 or done.exception
