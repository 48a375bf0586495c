"""Finished runs on several data sets: which extractors, selectors and classifiers rank better everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..evaluation.combination_names import NAMES
from ..evaluation.metrics import ranking_metrics
from ..evaluation.statistics.several_data_sets import MethodComparison, compare_methods
from ..reporting.critical_difference import draw_critical_difference
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..storage import mark_output

if TYPE_CHECKING:
    import pandas as pd

COMBINATION = "combination"
KINDS = (*NAMES, COMBINATION)
_DRAWN = 20
_FEW = 10


@dataclass(frozen=True)
class MethodRanking:
    """Methods of one kind over the data sets.

    Attributes
    ----------
    kind : str
        ``"extractor"``, ``"selector"``, ``"classifier"`` (each with the mean score over what it was combined with), or
        ``"combination"``.
    scores : DataFrame
        One row per data set, one column per method.
    comparison : MethodComparison
    """

    kind: str
    scores: pd.DataFrame
    comparison: MethodComparison

    def lines(self) -> list[str]:
        """In words and numbers."""
        compared, sets = self.comparison, len(self.scores)
        test = f"Friedman: chi2 {compared.chi_squared:.2f}, p {compared.p:.3g}"
        if math.isfinite(compared.f):
            test += f"; Iman-Davenport: F {compared.f:.2f}, p {compared.p_f:.3g}"
        if sets < _FEW:
            test += f"; both approximate, and rough with {sets} data sets"
        critical = f"critical difference {compared.critical_difference:.2f} (Nemenyi, 5 %)"
        ranks = [f"  {rank:6.2f}  {name}" for name, rank in list(compared.ranks.items())[:_DRAWN]]
        if len(compared.ranks) > _DRAWN:
            ranks.append(f"  ... and {len(compared.ranks) - _DRAWN} more")
        return [f"{self.kind.capitalize()}s: mean ranks over {sets} data sets; {critical}", f"  {test}", *ranks]


def compare_runs(runs: Sequence[Path], target: Path, metric: str | None = None) -> list[MethodRanking]:
    """Compare methods over data sets by their ranks, and write ``ranks.csv``, ``nemenyi.csv`` and diagrams.

    Parameters
    ----------
    runs : sequence of Path
        Folders of finished runs, each on a data set of its own.
    target : Path
        Folder for ``ranks.csv`` (with p-values of each against the best, Holm), ``nemenyi.csv`` (every pair) and
        ``<kind>s.png`` (critical-difference diagrams, up to twenty methods).
    metric : str, optional
        A metric of the leaderboards; by default the one that the first run is ranked by.

    Returns
    -------
    list of MethodRanking
        Of each kind of which there are two methods or more that every run scored.

    Raises
    ------
    ConfigurationError, StorageError
        Fewer than two runs, one that is not finished, permuted its labels or shares images with another, a metric that
        does not rank, or nothing that all runs have in common.

    References
    ----------
    J. Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006.
    """
    opened = _open(runs)
    metric = metric or next(iter(opened.values())).metric
    if metric not in (ranking := ranking_metrics()):
        raise ConfigurationError(
            f"The metric '{metric}' cannot rank methods.",
            expected=", ".join(ranking),
            received=metric,
            fix="choose one of them.",
        )
    scores = _scores({name: run.leaderboard for name, run in opened.items()}, metric)
    tables_of_kinds = {kind: _wide(scores, kind) for kind in KINDS}
    rankings = [
        MethodRanking(kind, wide, compare_methods(wide)) for kind, wide in tables_of_kinds.items() if wide.shape[1] >= 2
    ]
    _write(rankings, target)
    return rankings


def _open(runs: Sequence[Path]) -> dict[str, FinishedRun]:
    """Finished runs with true labels, over images that no two of them share."""
    opened: dict[str, FinishedRun] = {}
    images: dict[str, set[str]] = {}
    for path in runs:
        run, name = FinishedRun.open(path), str(path)
        if run.answer.best is None or run.answer.chance:
            raise ConfigurationError(
                "Only finished runs with true labels can be compared.",
                expected="folders below results/ with a best combination",
                received=name,
                fix="leave it out.",
            )
        content = set(run.images["image_id"])
        for other, earlier in images.items():
            if earlier & content:
                raise ConfigurationError(
                    "Data sets are independent only if they share no images.",
                    received=f"{other} and {name} share {len(earlier & content):,} images",
                    fix="leave one of them out.",
                )
        opened[name], images[name] = run, content
    return opened


def _scores(tables: dict[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """One row per data set, one column per combination that all of them scored."""
    import pandas as pd

    rows = {}
    for name, table in tables.items():
        scored = table[(table["kind"] == COMBINATION) & table[metric].notna()]
        rows[name] = scored.set_index(list(NAMES))[metric]
    common = pd.DataFrame(rows).T.dropna(axis=1)
    if common.shape[1] < 2 or len(common) < 2:
        raise ConfigurationError(
            "There is nothing to compare.",
            expected="two or more runs with scores for two or more of the same combinations",
            received=f"{len(common)} run{'s' if len(common) > 1 else ''} with {common.shape[1]} combinations in common",
            fix="name a second run, on the same images or on others."
            if len(common) < 2
            else "run the same extractors, selectors and classifiers on each set of images.",
        )
    return common


def _wide(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    if kind == COMBINATION:
        return scores.set_axis([" x ".join(names) for names in scores.columns], axis=1)
    return scores.T.groupby(level=kind, sort=False).mean().T


def _write(rankings: Sequence[MethodRanking], target: Path) -> None:
    import pandas as pd

    mark_output(target)
    ranks, pairs = [], []
    for one in rankings:
        holm = one.comparison.holm.set_index("method")
        for name, rank in one.comparison.ranks.items():
            p = holm["p_holm"].get(name)
            ranks.append({"kind": one.kind, "method": name, "mean_rank": rank, "p_holm": p})
        table = one.comparison.nemenyi.rename_axis("first").melt(ignore_index=False, var_name="second", value_name="p")
        pairs.append(table.reset_index().assign(kind=one.kind))
        if len(one.comparison.ranks) <= _DRAWN:
            draw_critical_difference(
                one.comparison.ranks, one.comparison.critical_difference, target / f"{one.kind}s.png"
            )
    folder = RunFolder(target)
    folder.write_table("ranks.csv", pd.DataFrame(ranks))
    folder.write_table("nemenyi.csv", pd.concat(pairs).query("first < second"))
