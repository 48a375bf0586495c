"""Whether the leaderboard has every row that its experiment names: one that is left out flatters the others."""

from __future__ import annotations

from itertools import product

from ..evaluation.combination_names import CONTENT, NAMES, SHORTCUT
from ..steps.score_shortcuts import baselines
from ..steps.write_pixels import PIXELS
from .compared_tables import SHOWN, Check, Mismatch
from .stored_results import StoredResults

GRID = "rows of the experiment"
_FILE = "leaderboard.csv"


def check_grid(stored: StoredResults) -> Check:
    """Every combination of the experiment has a row, and so has every shortcut; there is no other combination.

    Of permuted labels some combinations are a sample. The background is no shortcut where images show none.
    """
    experiment, board = stored.experiment, stored.leaderboard
    rows = set(board.loc[board["kind"] == "combination", list(NAMES)].itertuples(index=False, name=None))
    parts = (
        [one.label for one in choices]
        for choices in (experiment.extractors, experiment.selectors, experiment.classifiers)
    )
    expected = set(product(*parts)) | {(PIXELS, "none", one.label) for one in experiment.cnns}
    if experiment.evaluation.permute:
        expected &= rows
    named = {("combination", " x ".join(row)) for row in expected}
    have = {("combination", " x ".join(row)) for row in rows}
    for one in baselines(experiment.evaluation, len(stored.images), background=False):
        named.add((one.kind, f"{SHORTCUT if one.kind == 'shortcut' else CONTENT}{one.name}"))
    for kind in ("shortcut", "content"):
        have |= {(kind, name) for name in board.loc[board["kind"] == kind, "extractor"]}
    absent, surplus = sorted(named - have), sorted(row for row in have - named if row[0] == "combination")
    mismatches = [Mismatch(_FILE, name, kind, "no such row", "a row") for kind, name in absent]
    mismatches += [Mismatch(_FILE, name, kind, "a row", "not in experiment.yaml") for kind, name in surplus]
    return Check(GRID, len(named | have), len(mismatches), mismatches=tuple(mismatches[:SHOWN]))
