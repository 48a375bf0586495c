"""A run, from an experiment to a leaderboard and its report: the table of contents of `leukobench.steps`."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .config.experiment import Experiment
from .config.sources import Source, experiment_of, is_named_by_user
from .errors import ConfigurationError, EveryCombinationFailedError
from .images.files import check_output
from .machine import Progress
from .plugins.permission import allowing, named_by_user
from .reporting.answer import Findings
from .reporting.budget_words import budget_of
from .reporting.report.page import write_report
from .reporting.report.sections.leaderboard import commonest_reason
from .reporting.run_view import run_view
from .runs.answer import Answer
from .runs.budget_answer import Budget
from .runs.checkpoint import fetched, kept_up
from .runs.costs import Costs, costs_line, folder_bytes, watch_memory
from .runs.executors import on_cluster
from .runs.finished import FinishedRun, finished_before
from .runs.folder import RunFolder
from .runs.leftovers import cleared_leftovers
from .runs.log import log_to
from .runs.notebook import block
from .runs.progress import silent
from .runs.site_answer import Sites
from .runs.view_answer import Views
from .runs.workspace import Workspace
from .steps.audit_index import Audited, audit_index
from .steps.compare_costs import compare_costs
from .steps.compute_statistics import compute_statistics
from .steps.find_failures import find_failures
from .steps.find_images import find_images
from .steps.find_shortcut_errors import find_shortcut_errors
from .steps.find_suspects import find_suspects
from .steps.fit_combinations import fit_combinations
from .steps.fit_permutations import fit_permutations
from .steps.given_split import leave_out_leaks
from .steps.make_grid import make_grid
from .steps.open_test import open_test
from .steps.prepare_run import PreparedRun, prepare_run
from .steps.score_controls import fit_same_control
from .steps.score_sites import score_sites
from .steps.score_views import NOT_REACHED, score_views
from .steps.seal_holdout import seal_holdout
from .steps.write_answer import protocol_lines, write_answer
from .steps.write_images import write_images
from .storage import cache_folder, lock

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Outcome:
    """Results of a run.

    Attributes
    ----------
    results : FinishedRun
    reused : bool
        The run had been finished before, and nothing was computed.
    costs : str
        What the run took, beside what was planned.
    """

    results: FinishedRun
    reused: bool = False
    costs: str = ""

    @property
    def folder(self) -> Path:
        """Every file of the run; see `RunFolder`."""
        return self.results.folder

    @property
    def leaderboard(self) -> pd.DataFrame:
        """One row per combination, best first; see `leukobench.evaluation.scores.Scored`."""
        return self.results.leaderboard

    @property
    def answer(self) -> Answer:
        """Best combination with its interval and corrected number, verdicts on shortcuts, groups and copies."""
        return self.results.answer

    @property
    def protocol(self) -> list[str]:
        """Images, groups, folds and weights that the numbers come from."""
        return list(self.answer.protocol)

    @property
    def exit_code(self) -> int:
        """0; 1 if scores of permuted labels are above chance."""
        return 0 if self.answer.chance is None or self.answer.chance.at_chance else 1

    def __repr__(self) -> str:
        return repr(self.results).replace(f"{type(self.results).__name__}(", "Outcome(", 1)

    def _repr_html_(self) -> str:
        return run_view(self.results)

    def guide(self) -> str:
        """Files to open first, and the next commands."""
        first = "Nothing to compute: this run was finished before." if self.reused else self.costs
        return "\n".join([first, *RunFolder(self.folder).guide(permuted=self.answer.chance is not None)])


class Audit(NamedTuple):
    """What an audit of images gives.

    Attributes
    ----------
    folder : Path
        ``<results>/<name>-audit``, apart from any run; holds ``audit/``, ``images.parquet`` and ``ledger.parquet``.
    summary : dict
        See `leukobench.audit.summary.summarise`.
    """

    folder: Path
    summary: dict[str, Any]

    def __repr__(self) -> str:
        return "\n".join([f"Audit({str(self.folder)!r})", *self.summary["warnings"]])

    def _repr_html_(self) -> str:
        """What is to be looked at, for a notebook."""
        return block(f"Audit: {self.folder}", self.summary["warnings"] or ["Nothing to warn of."])


def run(
    experiment: Source,
    workers: int | None = None,
    progress: Progress = silent,
    budget: float = math.inf,
    **settings: Any,
) -> Outcome:
    """Run an experiment, or resume it where an earlier call stopped.

    Parameters
    ----------
    experiment : path-like, mapping or Experiment
        A folder or manifest of images, an experiment file (``.yaml``), what such a file would hold, or the thing
        itself; see `leukobench.config.sources.experiment_of`.
    workers : int, optional
        Cores to use; all by default. Does not affect scores, except rounding in CNNs.
    progress : Progress
        See `leukobench.runs.progress`.
    budget : float
        Seconds after which nothing more is fitted; what is finished is compared.
    **settings
        Keys of an experiment file that take precedence, such as ``name="second"``; and ``preset`` beside a folder.

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError
        A mistake in the experiment or its images, found before any work.
    BusyError, ClusterError
        Another process works on a run of this name; the workers of `executor` cannot, or were lost.
    EveryCombinationFailedError
        Nothing was scored.
    """
    by_name = is_named_by_user(experiment)
    experiment = experiment_of(experiment, **settings)
    folder, limits = RunFolder(experiment.folder), experiment.evaluation.limits.until(time.monotonic() + budget)
    if math.isfinite(budget) and experiment.evaluation.permute:
        raise ConfigurationError(
            "Permuted labels need all of their fits: a budget of time would leave no verdict.",
            fix="run them without --budget; --limit-seconds stops single fits.",
        )
    check_output(folder.path)
    with (
        allowing(by_name=by_name),
        named_by_user(experiment.plugins),
        lock(folder.lock, f"running '{experiment.name}'", timeout_s=1),
        fetched(folder.path, experiment.checkpoint) as checkpoint,
        log_to(folder.log),
        kept_up(checkpoint),
        cleared_leftovers(),
        on_cluster(experiment.executor.dask, folder) as cluster,
    ):
        outcome = _run(experiment, Workspace.of(folder, workers, progress, limits, cluster))
    if outcome.leaderboard["rank"].isna().all():
        if (unreached := outcome.answer.budget) and not unreached.reached:
            raise EveryCombinationFailedError(unreached.words, fix="give it a larger --budget.")
        count = (outcome.leaderboard["kind"] == "combination").sum()
        raise EveryCombinationFailedError(
            f"All {count} combinations failed." if count > 1 else "The only combination failed.",
            received=f"{commonest_reason(outcome.results)}; the tracebacks are in {folder.notes}",
            fix="remove the cause and run the same command again: only failed combinations are computed.",
        )
    return outcome


def audit_images(experiment: Source, workers: int | None = None, progress: Progress = silent, **settings: Any) -> Audit:
    """The first step of a run alone: find the images, measure each, compare them.

    Parameters
    ----------
    experiment, workers, progress, **settings
        As of `run`.

    Returns
    -------
    Audit

    Raises
    ------
    ConfigurationError, ImagesError, BusyError
    """
    experiment = experiment_of(experiment, **settings)
    folder = RunFolder.beside(experiment.folder, "audit")
    with (
        named_by_user(experiment.plugins),
        lock(folder.lock, f"auditing '{experiment.name}'", timeout_s=1),
        log_to(folder.log),
        cleared_leftovers(),
        on_cluster(experiment.executor.dask, folder) as cluster,
    ):
        workspace = Workspace.of(folder, workers, progress, cluster=cluster)
        index = find_images(experiment, workspace)
        folder.begin()
        audited = audit_index(experiment, index, workspace)
        write_images(audited, folder)
        folder.end_features()
    return Audit(folder.path, audited.summary)


def _run(experiment: Experiment, workspace: Workspace) -> Outcome:
    folder, costs, start = workspace.folder, Costs(), time.perf_counter()
    workspace = replace(workspace, progress=costs.time_stages(workspace.progress))
    prepared = prepare_run(experiment, workspace)
    if results := finished_before(folder, prepared.state):
        return Outcome(results, reused=True)
    cached = folder_bytes(cache_folder())
    with watch_memory(costs):
        _compute(prepared, workspace)
        costs.disk = folder_bytes(folder.path) + folder_bytes(cache_folder()) - cached
    folder.finish(prepared.state, keep_checkpoints=workspace.limits.over)
    costs.seconds = time.perf_counter() - start
    _log.info("Finished.", extra={"facts": {"seconds": round(costs.seconds, 3)}})
    folder.write_json("costs.json", costs.to_mapping())
    plan = folder.read_json("plan.json") or {}
    planned = plan if plan.get("state") == prepared.state else None
    return Outcome(FinishedRun.open(folder.path), costs=costs_line(costs.to_mapping(), planned))


def _compute(prepared: PreparedRun, workspace: Workspace) -> None:
    experiment, folder = prepared.experiment, workspace.folder
    folder.begin()
    folder.write_experiment(experiment.to_mapping(), prepared.resolved())
    whole = audit_index(experiment, prepared.index, workspace)
    for line in whole.summary["warnings"]:
        _log.warning("%s", line)
    whole = leave_out_leaks(experiment, whole, folder)
    audited = seal_holdout(experiment, whole, folder)
    grid = make_grid(prepared, audited, workspace)
    store = fit_combinations(grid, workspace)
    if experiment.evaluation.controls == "same" and not experiment.evaluation.permute:
        grid = fit_same_control(grid, store, prepared.extractors, experiment.evaluation, audited.index, workspace)
    chance = fit_permutations(grid, store, experiment.evaluation, workspace) if experiment.evaluation.permute else None
    scored = compute_statistics(grid, store, audited.index, experiment.evaluation, workspace)
    scored, sites = score_sites(grid, store, scored, audited.index, experiment.evaluation, workspace)
    if grid.networks:
        compare_costs(prepared.extractors, grid, scored.leaderboard, audited.index, workspace)
    findings = Findings(chance)
    if chance is None:
        parts = grid, store, scored, prepared, audited, workspace
        views = score_views(grid, scored, prepared, audited, workspace)
        budget = _unreached(scored.leaderboard, whole, views, sites, workspace, experiment)
        findings = Findings(
            views=views,
            where_wrong=find_shortcut_errors(grid, store, scored),
            suspects=find_suspects(*parts),
            failures=find_failures(*parts),
            test=None if budget else open_test(scored, prepared, whole, workspace.to_the_end()),
            sites=sites,
            budget=budget,
        )
    write_answer(scored, prepared, audited, protocol_lines(prepared, audited, grid, folder), folder, findings)
    write_report(folder.path)


def _unreached(
    leaderboard: pd.DataFrame, whole: Audited, views: Views | None, sites: Sites | None, workspace: Workspace,
    experiment: Experiment,
) -> Budget | None:  # fmt: skip
    """What the time did not suffice for; a given test part is opened after all of that, for the winner among all."""
    test, no_views = whole.parts is not None, bool(views and NOT_REACHED in views.left_out)
    no_sites = bool(experiment.evaluation.leave_out and not sites)
    return budget_of(leaderboard, workspace.limits.over and (test or no_views or no_sites), test)
