"""The report's section on sites, and what they add to the leaderboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from ...runs.test_site_answer import BEST, SITES
from .drawn_run import KEYS, page, read_answer, write_answer


def with_sites(folder: Path) -> pd.DataFrame:
    """Make the run one with sites: across them every score is 30 points lower; one row failed."""
    board = pd.read_csv(folder / "leaderboard.csv")
    table = board[[*KEYS, "kind"]].assign(within_sites=board["balanced_accuracy"], site_status="ok")
    for end in ("", "_low", "_high"):
        table[f"across_sites{end}"] = board[f"balanced_accuracy{end}"] - 0.3
    table = table.assign(site_gap=0.3, site_gap_low=0.2, site_gap_high=0.4)
    table.loc[1, ["across_sites", "site_gap", "site_gap_low", "site_gap_high"]] = None
    table.to_csv(folder / "across_sites.csv", index=False)
    columns = [name for name in table if name.startswith(("across", "site_"))]
    board.assign(**{name: table[name] for name in columns}).to_csv(folder / "leaderboard.csv", index=False)
    best = dict(zip(KEYS, board.loc[0, KEYS], strict=True))
    sites = replace(SITES, words="LOWER ACROSS SITES: <b>.", best=replace(BEST, **best))
    write_answer(folder, replace(read_answer(folder), sites=sites))
    return table


def test_both_scores_of_the_best_rows_are_drawn_with_their_gap(folder: Path) -> None:
    table = with_sites(folder)
    shown = page(folder)
    assert "sites" in shown.ids()
    for words in ("LOWER ACROSS SITES: <b>.", "S1", "note", "0.40 [0.30 to 0.50]", "30.00 points [20.00 to 40.00]"):
        assert words in shown.text
    first = table.iloc[0]
    assert f"{100 * first['within_sites']:.2f} % {100 * first['across_sites']:.2f} % [" in shown.text
    circles = [attrs for tag, attrs in shown.tags if tag == "em" and attrs.get("style")]
    assert len(circles) == 9 + 2  # ten best rows but for one that failed, and two shortcuts


def test_the_leaderboard_has_the_score_and_the_gap(folder: Path) -> None:
    before = page(folder).text
    table = with_sites(folder)
    after = page(folder).text
    assert "across sites" not in before
    assert after.count("30.00 points [20.00 to 40.00]") > table["site_gap"].notna().sum()
