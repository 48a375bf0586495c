"""Score sites: every combination without each site in turn, beside ordinary folds; whether features know the site."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.experiment import Evaluation
from ..evaluation.combination_names import NAMES, Names, as_columns, names_of, rows_of
from ..evaluation.folds import make_folds
from ..evaluation.grid import Grid
from ..evaluation.metric import FromCounts
from ..evaluation.metrics import BALANCED_ACCURACY, metric_of
from ..evaluation.records import RecordStore
from ..evaluation.scores import Scored
from ..evaluation.site_folds import SiteFolds
from ..evaluation.site_scores import (
    ACROSS,
    GAP,
    STATUS,
    TABLE,
    WITHIN,
    AcrossScores,
    Protocol,
    grid_across,
    probabilities_of,
    score_across,
    sensitivity_by_site,
)
from ..evaluation.statistics.analysis import Analysis
from ..evaluation.statistics.robustness import FEWEST, robustness_index
from ..evaluation.stored_predictions import fold_numbers
from ..images.index import ImageIndex
from ..reporting.protocol import groups
from ..reporting.site_words import site_words, verdict_of_sites
from ..runs.site_answer import AtSite, ExtractorAtSites, Sites
from ..runs.workspace import Workspace
from .find_sites import sites_of
from .fit_combinations import fit_combinations

if TYPE_CHECKING:
    import pandas as pd

BY_SITE, BY_EXTRACTOR = "sites.csv", "extractors_across_sites.csv"
FITTING = "fitting without each site", "training networks without each site"
TELLING = "telling the sites", ""
COMPARING = "comparing sites"
_log = logging.getLogger(__name__)


def score_sites(
    grid: Grid, store: RecordStore, scored: Scored, index: ImageIndex, evaluation: Evaluation, workspace: Workspace
) -> tuple[Scored, Sites | None]:
    """Fit every combination without each site in turn, and compare; writes the tables of sites and their predictions.

    Returns
    -------
    scored : Scored
        With the scores across sites on its leaderboard, and the fits that failed among its notes.
    sites : Sites or None
        None where no site is left out, nothing has a score, or the budget of time ended before.
    """
    named = sites_of(index, evaluation)
    if named is None or not scored.winner:
        return scored, None
    sites = SiteFolds.of(grid.task, named)
    fit_combinations(grid_across(grid, sites), workspace, FITTING)
    if workspace.limits.over:
        return scored, None
    workspace = workspace.to_the_end()
    best = names_of(scored.winner)
    work = _Work(grid, store, sites, _protocol(evaluation, sites, best), workspace)
    with workspace.progress(COMPARING, len(list(grid.combinations()))) as advance:
        across = score_across(grid, store, sites, work.protocol, workspace.folder.path, advance)
    extractors, notes = _extractors(work, across.table, scored.leaderboard, evaluation)
    at_sites = _at_sites(work, best)
    answer = Sites.from_json(_overall(across, best, evaluation, work))
    answer = replace(answer, sites=at_sites, extractors=extractors, notes=(*_notes(work, evaluation), *notes))
    answer = replace(answer, verdict=verdict_of_sites(answer.gap_low, answer.gap_high))
    objects = "patients" if groups(index).kind == "patients" else "images"
    answer = replace(answer, words=site_words(answer, best, objects))
    for line in answer.notes:
        _log.warning("%s", line)
    return _written(scored, across, answer, workspace), answer


@dataclass(frozen=True)
class _Work:
    grid: Grid
    store: RecordStore
    sites: SiteFolds
    protocol: Protocol
    workspace: Workspace


def _protocol(evaluation: Evaluation, sites: SiteFolds, best: Names) -> Protocol:
    """Balanced accuracy stands for a metric of patients, and for one that needs a class that is not compared."""
    metric = metric_of(evaluation.rank_by)
    undefined = metric.of_patients or (isinstance(metric.source, FromCounts) and not sites.present.all())
    return Protocol(BALANCED_ACCURACY if undefined else metric, evaluation.resamples, evaluation.seed, best)


def _overall(across: AcrossScores, best: Names, evaluation: Evaluation, work: _Work) -> dict[str, Any]:
    row = rows_of(across.table, best).iloc[0]
    columns = {"within": WITHIN, "across": ACROSS, "gap": GAP}
    ends = {"within": ("",), "across": ("", "_low", "_high"), "gap": ("", "_low", "_high")}
    facts: dict[str, Any] = {
        f"{name}{end}": float(row[f"{columns[name]}{end}"]) for name in columns for end in ends[name]
    }
    facts |= {"column": evaluation.leave_out, "metric": work.protocol.metric.name}
    return facts | {"images": len(work.sites.compared), "best": across.best}


def _at_sites(work: _Work, best: Names) -> tuple[AtSite, ...]:
    within = probabilities_of(work.grid, work.store, best)
    outside = probabilities_of(grid_across(work.grid, work.sites), work.store, best)
    if within is None or outside is None:
        return ()
    rows = sensitivity_by_site(work.sites, within, outside[0], work.protocol)
    return tuple(AtSite.from_json({**row, "lacking": tuple(row["lacking"])}) for row in rows)


def _extractors(
    work: _Work, table: pd.DataFrame, leaderboard: pd.DataFrame, evaluation: Evaluation
) -> tuple[tuple[ExtractorAtSites, ...], list[str]]:
    """Each extractor with its best combination, and what its features know of the sites; what could not be said."""
    usable = [source for source in work.grid.sources if not source.error]
    ranked = [names_of(row) for row in leaderboard[leaderboard["rank"].notna()].to_dict("records")]
    first = {names[0]: names for names in reversed(ranked)}
    usable = [source for source in usable if source.label in first]
    if not usable:
        return (), []
    best = next(names for names in ranked if names[0] in {one.label for one in usable})
    recognised, notes = _recognised(work, best, evaluation)
    rows = []
    for source in usable:
        row = rows_of(table, first[source.label]).iloc[0]
        facts = as_columns(first[source.label]) | {"within": float(row[WITHIN]), "across": float(row[ACROSS])}
        facts |= {f"gap{end}": float(row[f"{GAP}{end}"]) for end in ("", "_low", "_high")}
        facts |= recognised.get(source.label, {})
        features, task = np.load(source.matrix, mmap_mode="r"), work.grid.task
        resampling = work.protocol.resamples, work.protocol.seed
        if index := robustness_index(features, task.labels, work.sites.codes, task.groups, *resampling):
            facts |= {"robustness": index.value, "robustness_low": index.low, "robustness_high": index.high}
            facts |= {"neighbours": index.neighbours, "pairs": index.pairs}
        rows.append(ExtractorAtSites.from_json(facts))
    if not any(one.pairs for one in rows):
        notes.append(f"No robustness index: no two sites have {FEWEST} images each of the same two classes.")
    return tuple(rows), notes


def _recognised(
    work: _Work, best: Names, evaluation: Evaluation
) -> tuple[Mapping[str, Mapping[str, float]], list[str]]:
    """Balanced accuracy for the site from each extractor's features, with the selector and classifier of `best`."""
    grid, sites, protocol = work.grid, work.sites, work.protocol
    groups_of = [len(np.unique(grid.task.groups[fold.test])) for fold in sites.folds]
    if (fewest := min(groups_of)) < 2:
        name = sites.names[groups_of.index(fewest)]
        return {}, [f"Whether features tell the site is unknown: {name} is one patient, or one group of copies."]
    task = replace(sites.task, labels=sites.codes, classes=sites.names)
    folds = make_folds(task, min(evaluation.folds, fewest), 1, evaluation.seed)
    selectors = [one for one in grid.selectors if one.label == best[1]]
    classifiers = [one for one in grid.classifiers if one.label == best[2]]
    telling = Grid(task, folds, grid.sources, selectors, classifiers, grid.rules)
    store = fit_combinations(telling, work.workspace, TELLING)
    design = task.labels, task.classes, task.groups, fold_numbers(telling)
    analysis = Analysis(*design, BALANCED_ACCURACY.name, protocol.seed, protocol.resamples)
    for combination in telling.combinations():
        if (probabilities := probabilities_of(telling, store, combination.labels)) is not None:
            analysis.add(combination.labels, "combination", probabilities)
    board = analysis.tables()["leaderboard"]
    name = BALANCED_ACCURACY.name
    return {
        row[NAMES[0]]: {f"site_accuracy{end}": float(row[f"{name}{end}"]) for end in ("", "_low", "_high")}
        for row in board.to_dict("records")
    }, []


def _notes(work: _Work, evaluation: Evaluation) -> list[str]:
    """What was left out, and where scores are of some classes alone."""
    sites, task = work.sites, work.sites.task
    other = metric_of(evaluation.rank_by) != work.protocol.metric
    lines = [f"Sites are compared by {BALANCED_ACCURACY.title} of images."] if other else []
    for code in np.unique(task.labels[~sites.known]).tolist():
        count = int((~sites.known & (task.labels == code)).sum())
        where = ", ".join(
            sites.names[number] for number in np.unique(sites.codes[~sites.known & (task.labels == code)])
        )
        lines.append(
            f"{task.classes[code]}: {count:,} images at {where} are not compared across sites, since no other site has "
            "this class of other patients."
        )
    lacking = {name: own for number, name in enumerate(sites.names) if (own := sites.lacking(number))}
    if lacking:
        listed = "; ".join(f"{name}: {', '.join(own)}" for name, own in lacking.items())
        lines.append(f"Sites are scored on the classes that they have. Classes that they lack: {listed}.")
    if apart := {name: count for name, count in zip(sites.names, sites.apart, strict=True) if count}:
        listed = ", ".join(f"{name} {count:,}" for name, count in apart.items())
        lines.append(f"Not trained on without a site, since they share patients or copies with it: {listed} images.")
    return lines


def _written(scored: Scored, across: AcrossScores, answer: Sites, workspace: Workspace) -> Scored:
    """Write the tables; the leaderboard and the notes with what sites add to them."""
    import pandas as pd

    folder = workspace.folder
    folder.write_table(TABLE, across.table)
    folder.write_table(BY_SITE, _table([{**one.to_json(), "lacking": ", ".join(one.lacking)} for one in answer.sites]))
    folder.write_table(BY_EXTRACTOR, _table([one.to_json() for one in answer.extractors]))
    columns = [STATUS, *(f"{name}{end}" for name in (ACROSS, GAP) for end in ("", "_low", "_high"))]
    board = scored.leaderboard.merge(across.table[[*NAMES, *columns]], how="left", on=list(NAMES))
    folder.write_table("leaderboard.csv", board)
    notes = scored.notes
    if len(across.errors):
        failed = across.errors.assign(repeat=0, fold=0, kind="error")
        failed["text"] = "Without site " + failed.pop("site") + ": " + failed["text"]
        notes = pd.concat([notes, failed[notes.columns]], ignore_index=True)
        folder.write_table("notes.csv", notes)
    return replace(scored, leaderboard=board, notes=notes)


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
