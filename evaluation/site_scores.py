"""Scores within and across sites: every combination in ordinary folds and without each site, and the paired gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..storage import atomic_path
from .combination_names import NAMES, Names, as_columns, names_of
from .grid import Combination, Grid
from .metric import Floats, Integers, Metric
from .metrics import BALANCED_ACCURACY, metrics_of
from .records import RecordStore
from .site_folds import SiteFolds
from .statistics.analysis import Analysis
from .statistics.best_set import Differences, less_one, one_error
from .statistics.drops import PairedScores, Scores
from .statistics.present_classes import over_present
from .stored_predictions import Cells, cells_of, fold_numbers, out_of_fold, prediction_columns, schema_of
from .task import Task

if TYPE_CHECKING:
    import pandas as pd

ACROSS, GAP = "across_sites", "site_gap"
"""Columns, with ``_low`` and ``_high``: the score across sites, and that within sites less it."""
WITHIN = "within_sites"
STATUS = "site_status"
TABLE = "across_sites.csv"
PREDICTIONS = "predictions_across_sites.parquet"


@dataclass(frozen=True)
class Protocol:
    """How scores are resampled.

    Attributes
    ----------
    metric : Metric
        Of images; ranks.
    resamples, seed : int
    best : (str, str, str)
        The combination that was picked.
    """

    metric: Metric
    resamples: int
    seed: int
    best: Names


@dataclass(frozen=True)
class AcrossScores:
    """Scores across sites.

    Attributes
    ----------
    table : DataFrame
        One row a combination, shortcut, content row and control: names, kind, within_sites, across_sites and site_gap,
        the latter two with ``_low`` and ``_high``; every metric across sites with its interval; site_status.
    best : dict or None
        The best combination across sites, as `Analysis.winner` has it.
    errors : DataFrame
        extractor, selector, classifier, site, text: of each failed fit.
    """

    table: pd.DataFrame
    best: dict[str, Any] | None
    errors: pd.DataFrame


def score_across(
    grid: Grid,
    store: RecordStore,
    sites: SiteFolds,
    protocol: Protocol,
    folder: Path,
    advance: Callable[[int], None] = lambda done: None,
) -> AcrossScores:
    """Compare every row of a grid within and across sites; writes ``predictions_across_sites.parquet``.

    The interval of the gap of the best combination counts that it was picked for its score within sites.

    Parameters
    ----------
    grid : Grid
        With the folds of the run.
    store : RecordStore
        With records of both.
    sites : SiteFolds
    protocol : Protocol
    folder : Path
        Gets the predictions.
    advance : callable
        Called with the number of combinations just compared.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    task, across, rows_of_task = grid.task, grid_across(grid, sites), sites.compared
    design = task.labels[rows_of_task], task.classes, task.groups[rows_of_task], sites.codes[rows_of_task]
    analysis = Analysis(*design, protocol.metric.name, protocol.seed, protocol.resamples)
    pairing = _Pairing.of(grid, sites, protocol)
    rows: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    schema = schema_of(grid)
    with (
        atomic_path(folder / PREDICTIONS) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for combination in grid.combinations():
            cells = cells_of(across, store, combination)
            for place, record, fold in cells:
                if record.probabilities is not None:
                    named = place | {"kind": combination.kind}
                    writer.write_table(pa.table(prediction_columns(named, record, across, fold), schema=schema))
            errors += _errors(cells, sites)
            within = out_of_fold(grid, cells_of(grid, store, combination))
            outside = out_of_fold(across, cells)
            if outside is not None:
                features = float(np.mean([record.features for _, record, _ in cells]))
                analysis.add(combination.labels, combination.kind, outside[:, rows_of_task], features)
            failed = sum(record.probabilities is None for _, record, _ in cells)
            status = f"failed without {failed} of {len(cells)} sites" if failed else "ok"
            rows.append(_row(combination, pairing, within, outside) | {STATUS: status})
            advance(1)
    rows = [row | (pairing.picked(protocol.best) if names_of(row) == protocol.best else {}) for row in rows]
    return AcrossScores(_joined(pd.DataFrame(rows), analysis, protocol.metric), analysis.winner(), pd.DataFrame(errors))


def grid_across(grid: Grid, sites: SiteFolds) -> Grid:
    """The same combinations, with a fold a site."""
    return replace(grid, task=sites.task, folds=sites.folds)


def probabilities_of(grid: Grid, store: RecordStore, names: Names) -> Floats | None:
    """What a grid predicts with one combination, shape (repeats, n, K)."""
    combination = next(one for one in grid.combinations() if one.labels == names)
    return out_of_fold(grid, cells_of(grid, store, combination))


@dataclass(frozen=True)
class _Pairing:
    """Scores of the same images and resamples, with the folds of each repeat, and those of the sites."""

    sites: SiteFolds
    repeats: tuple[PairedScores, ...]
    outside: PairedScores
    inside_of: dict[Names, Scores]
    outside_of: dict[Names, Scores]

    @classmethod
    def of(cls, grid: Grid, sites: SiteFolds, protocol: Protocol) -> _Pairing:
        def scores(folds: Integers) -> PairedScores:
            return _paired(sites.task, sites.compared, folds[sites.compared], protocol.metric, protocol)

        return cls(sites, tuple(scores(folds) for folds in fold_numbers(grid)), scores(sites.codes), {}, {})

    def compare(self, combination: Combination, within: Floats, outside: Floats | None) -> dict[str, float]:
        """The score within sites, and the gap to that across, if there is one."""
        rows = self.sites.compared
        inside = _mean([paired.scores(one[rows]) for paired, one in zip(self.repeats, within, strict=True)])
        candidate = combination.kind == "combination"
        if candidate:
            self.inside_of[combination.labels] = inside
        if outside is None:
            return {WITHIN: inside[0]}
        across = self.outside.scores(outside[0, rows])
        if candidate:
            self.outside_of[combination.labels] = across
        drop = self.outside.drop(inside, across)
        return {WITHIN: inside[0], GAP: drop.drop, f"{GAP}_low": drop.low, f"{GAP}_high": drop.high}

    def picked(self, best: Names) -> dict[str, float]:
        """The gap of the combination that was picked of all, with an interval that counts this."""
        if best not in self.outside_of:
            return {}
        scores = [*self.inside_of.values(), self.outside_of[best]]
        paired, classes = self.outside, len(self.outside.classes)
        differences = Differences.of(
            np.array([value for value, _ in scores]),
            np.array([resampled for _, resampled in scores]),
            len(np.unique(paired.groups)),
            classes,
            one_error(paired.metric, paired.labels, classes),
        )
        gap, low, high = less_one(differences, list(self.inside_of).index(best), len(scores) - 1)
        return {GAP: gap, f"{GAP}_low": low, f"{GAP}_high": high}


def _mean(scores: Sequence[Scores]) -> Scores:
    values, resampled = zip(*scores, strict=True)
    return float(np.mean(values)), np.mean(resampled, axis=0)


def _row(combination: Combination, pairing: _Pairing, within: Floats | None, outside: Floats | None) -> dict[str, Any]:
    row: dict[str, Any] = as_columns(combination.labels) | {"kind": combination.kind}
    row |= dict.fromkeys((WITHIN, GAP, f"{GAP}_low", f"{GAP}_high"), np.nan)
    if within is None:
        return row
    return row | pairing.compare(combination, within, outside)


def _joined(rows: pd.DataFrame, analysis: Analysis, metric: Metric) -> pd.DataFrame:
    """With the scores across sites, and best first."""
    keys, ends = list(NAMES), ("", "_low", "_high")
    board = analysis.tables()["leaderboard"]
    scored = [f"{one.name}{end}" for one in metrics_of(patients=False) if not one.by_class for end in ends]
    table = rows.merge(board.reindex(columns=[*keys, *scored]), how="left", on=keys)
    place = list(table.columns).index(GAP)
    for end in reversed(ends):
        table.insert(place, f"{ACROSS}{end}", table[f"{metric.name}{end}"])
    return table.sort_values(ACROSS, ascending=False, kind="stable", ignore_index=True)


def _errors(cells: Cells, sites: SiteFolds) -> Iterator[dict[str, Any]]:
    for place, record, fold in cells:
        if record.error:
            yield {name: place[name] for name in NAMES} | {"site": sites.names[fold.number], "text": record.error}


def sensitivity_by_site(
    sites: SiteFolds, within: Floats, outside: Floats, protocol: Protocol
) -> Iterator[dict[str, Any]]:
    """One combination at each site: the mean sensitivity over the classes that the site has.

    Parameters
    ----------
    sites : SiteFolds
    within : ndarray, shape (repeats, n, all)
        Probabilities of ordinary folds.
    outside : ndarray, shape (n, all)
        Probabilities without the site.
    protocol : Protocol

    Yields
    ------
    dict
        site, images, groups, lacking, trained, apart, within, across, gap, low, high; the latter two NaN with too few
        groups.
    """
    task = sites.task
    for fold, name, apart in zip(sites.folds, sites.names, sites.apart, strict=True):
        rows = fold.test[sites.known[fold.test]]
        groups = len(np.unique(task.groups[rows]))
        facts: dict[str, Any] = {"site": name, "images": len(rows), "groups": groups}
        facts |= {"lacking": sites.lacking(fold.number), "trained": len(fold.train), "apart": apart}
        facts |= dict.fromkeys(("within", "across", "gap", "low", "high"), np.nan)
        if len(rows):
            paired = _paired(task, rows, np.zeros_like(rows), BALANCED_ACCURACY, protocol)
            inside, across = _mean([paired.scores(one[rows]) for one in within]), paired.scores(outside[rows])
            drop = paired.drop(inside, across)
            facts |= {"within": inside[0], "across": across[0], "gap": drop.drop}
            facts |= {"low": drop.low, "high": drop.high} if groups > len(task.classes) else {}
        yield facts


def _paired(task: Task, rows: Integers, folds: Integers, metric: Metric, protocol: Protocol) -> PairedScores:
    """Scores of some images, in which classes that they lack take no part."""
    labels = task.labels[rows]
    present = np.bincount(labels, minlength=len(task.classes)) > 0
    (own,) = over_present([metric], present)
    return PairedScores(labels, task.classes, task.groups[rows], folds, own, protocol.resamples, protocol.seed)
