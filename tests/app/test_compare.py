"""Two runs side by side, as the page shows them, against the comparison itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from leukobench.app.target import find_target
from leukobench.studies.same_images import ALIKE, BETTER, WORSE, SameImages, compare_same_images


def compare_page() -> None:
    from leukobench.app import compare
    from leukobench.app.target import read_target

    compare.page(read_target())


@pytest.fixture
def runs(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The finished run, and one with the same folds whose first combination is wrong everywhere."""
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    for name in ("small", "worse"):
        run = Path(shutil.copytree(results / "small", tmp_path / "runs" / name))
        (run / "state.json").write_text('{"state": "", "files": {}}')  # any bytes are as it wrote them
    table = pd.read_parquet(run / "predictions.parquet")
    columns = [name for name in table if name.startswith("p_")]
    names = table[["extractor", "selector", "classifier"]].iloc[0].tolist()
    rows = (table[["extractor", "selector", "classifier"]] == names).all(axis=1)
    wrong = pd.get_dummies(table["label"].map(lambda label: columns[columns.index(f"p_{label}") - 1])) * 1.0
    table.loc[rows, columns] = wrong.loc[rows, columns]
    table.to_parquet(run / "predictions.parquet", index=False)
    (run / "experiment.yaml").write_text(
        (run / "experiment.yaml").read_text().replace("balance: none", "balance: smote")
    )
    find_target(tmp_path / "runs").publish()
    return tmp_path / "runs"


def opened(before: str, after: str) -> AppTest:
    page = AppTest.from_function(compare_page, default_timeout=60)
    page.session_state["before"], page.session_state["after"] = before, after
    page.run()
    assert not page.exception
    return page


def html_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html")).replace("\N{NO-BREAK SPACE}", " ")


def compared(runs: Path) -> SameImages:
    from leukobench import load_results

    return compare_same_images(*(load_results(runs / name) for name in ("small", "worse")))


def test_it_shows_what_was_changed_and_each_difference(runs: Path) -> None:
    page, expected = opened("small", "worse"), compared(runs)
    html = html_of(page)
    assert "evaluation.balance: none to smote" in html
    assert all(sentence in html for sentence in expected.sentences())
    verdicts = [one.verdict for one in expected.changes]
    assert verdicts == [ALIKE, ALIKE, ALIKE, WORSE]
    chips = re.findall(r'<span class="lb-kind lb-[a-z]+">([^<]+)</span></td>', html)
    assert chips == verdicts
    for one in expected.changes:
        assert expected.difference(one).partition(" [")[0] in html
    chart = page.get("vega_lite_chart")[0].proto.spec
    assert all(word in chart for word in ("neither", BETTER, WORSE, "triangle-down"))


def test_what_cannot_be_paired_is_refused_with_the_reason(runs: Path) -> None:
    folds = pd.read_parquet(runs / "worse" / "folds.parquet")
    folds.assign(fold=(folds["fold"] + 1) % 3).to_parquet(runs / "worse" / "folds.parquet", index=False)
    html = html_of(opened("small", "worse"))
    assert "Scores are not paired:" in html
    assert f"the folds of {len(folds)} of {len(folds)} common images differ. Pairs need the same" in html
    assert "lb-table" not in html
    images = pd.read_parquet(runs / "worse" / "images.parquet")
    images.assign(image_id=images["image_id"].str[::-1]).to_parquet(runs / "worse" / "images.parquet", index=False)
    (runs / "worse" / "leaderboard.csv").touch()
    assert "These runs are not compared:" in html_of(opened("small", "worse"))


def test_one_run_has_nothing_beside_it(runs: Path) -> None:
    shutil.rmtree(runs / "worse")
    page = AppTest.from_function(compare_page, default_timeout=60).run()
    assert "Two finished runs are needed" in html_of(page)
