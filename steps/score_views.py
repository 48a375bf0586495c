"""Score views: the best combination again on images without colour, border, noise and so on; what the score needs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.experiment import Evaluation
from ..errors import EngineError, ExtractionError, ImagesError
from ..evaluation.combination_names import as_columns, names_of, rows_of
from ..evaluation.folds import check
from ..evaluation.grid import Combination, FeatureSource, Grid
from ..evaluation.metric import Floats, Metric
from ..evaluation.metrics import BALANCED_ACCURACY, metric_of
from ..evaluation.records import RecordStore
from ..evaluation.sampling import part_of, restrict, sample_rows
from ..evaluation.scheduling import pending_units, run_grid
from ..evaluation.scores import Scored
from ..evaluation.statistics.drops import UNDECIDED, Drop, PairedScores, Scores
from ..evaluation.unchanged import predict_sources, unchanged_key
from ..features.extractor import Extractor
from ..features.views import VIEWS
from ..machine import Stop
from ..reporting.answer import guessing
from ..reporting.view_needs import answer_views
from ..reporting.view_sheet import draw_views
from ..runs.view_answer import Views
from ..runs.workspace import Workspace
from .audit_index import Audited
from .prepare_run import PreparedRun
from .read_views import UNTOUCHED, Sample, read_views
from .score_shortcuts import shows_background

if TYPE_CHECKING:
    import pandas as pd

TABLE, SHEET = "views.csv", "views.jpg"
FITTING = "fitting in views"
NOT_REACHED = "The budget of time ended before the views were fitted."
LEAST_IMAGES = 100
"""With fewer images hardly a drop could be decided."""
_log = logging.getLogger(__name__)


def score_views(
    grid: Grid, scored: Scored, prepared: PreparedRun, audited: Audited, workspace: Workspace
) -> Views | None:
    """What the score of the best combination needs; writes ``views.csv`` and ``figures/views.jpg``.

    A sample of the images, in their groups, is read in views through the extractor of the combination. Selector and
    classifier are fitted anew in each view, in the folds of the run's first repeat restricted to the sample, and
    compared with the same without a view. Beside it, those that were fitted without a view predict the test images of
    each view.

    Returns
    -------
    Views or None
        None where the experiment wants none, labels are permuted, or nothing has a score.
    """
    evaluation = prepared.experiment.evaluation
    if evaluation.views == "off" or evaluation.permute or not scored.winner:
        return None
    best, metric = names_of(scored.winner), _metric(evaluation)
    nothing = Views(metric.name, 0, 0, None, None, evaluation.view_margin)
    candidates = [one for one in grid.combinations() if one.kind == "combination" and not one.source.images]
    if why := _why_none(grid, best in [one.labels for one in candidates], workspace):
        return replace(nothing, left_out=(why,))
    chosen = [one for one in candidates if one.labels == best or (evaluation.views == "all" and not one.source.error)]
    sample, left_out = _sample(grid, audited, evaluation)
    try:
        viewed = _fit(grid, chosen, sample, prepared.extractors, workspace)
    except (ExtractionError, EngineError, ImagesError) as error:
        _log.warning("No views: %s", error)
        return replace(nothing, left_out=(error.what,))
    if workspace.limits.over:
        return replace(nothing, left_out=(NOT_REACHED,))
    table = viewed.table(chosen, evaluation, metric)
    workspace.folder.write_table(TABLE, table)
    draw_views(sample.files, viewed.grid.task.labels, sample.views, workspace.folder.figures / SHEET)
    groups = len(np.unique(viewed.grid.task.groups))
    counted = replace(nothing, images=len(sample.rows), groups=groups, left_out=tuple(left_out))
    return answer_views(counted, rows_of(table, best), scored.leaderboard, guessing(scored, metric.name))


def _why_none(grid: Grid, frozen: bool, workspace: Workspace) -> str:
    if len(grid.task) < LEAST_IMAGES:
        return f"Fewer than {LEAST_IMAGES} images can hardly decide what the score needs."
    if not frozen:
        return "A network that was trained end to end is not trained again in views."
    return NOT_REACHED if workspace.limits.over else ""


def _metric(evaluation: Evaluation) -> Metric:
    """That of the leaderboard's order; where patients rank, the one of images that is ranked by otherwise."""
    metric = metric_of(evaluation.rank_by)
    return BALANCED_ACCURACY if metric.of_patients else metric


def _sample(grid: Grid, audited: Audited, evaluation: Evaluation) -> tuple[Sample, list[str]]:
    """Images, and the views that they allow; which views are left out, in words."""
    images = None if evaluation.view_images == "all" else evaluation.view_images
    rows, files = sample_rows(grid.task, images, evaluation.seed), audited.index.files()
    masked = shows_background(audited.measurements[rows], audited.names)
    views = [view for view in VIEWS if masked or not view.masked]
    lacking = " and ".join(view.name for view in VIEWS if view not in views)
    left_out = [f"No view {lacking}: too few images show a credible background."] if lacking else []
    return Sample(rows, [files[row] for row in rows], views), left_out


def _fit(
    grid: Grid,
    chosen: Sequence[Combination],
    sample: Sample,
    extractors: Mapping[str, Extractor],
    workspace: Workspace,
) -> _Viewed:
    """Read the views and bring a record into the run's store for all that is fitted, but for what is there."""
    sources = {
        label: read_views(source, extractors[label], sample, workspace)
        for label, source in {one.source.label: one.source for one in chosen}.items()
    }
    folds = restrict([fold for fold in grid.folds if fold.repeat == 0], sample.rows, len(grid.task))
    part = Grid(
        part_of(grid.task, sample.rows),
        folds,
        [source for several in sources.values() for source in several.values()],
        list({one.selector.label: one.selector for one in chosen}.values()),
        list({one.classifier.label: one.classifier for one in chosen}.values()),
        grid.rules,
        only=frozenset((s.label, *one.labels[1:]) for one in chosen for s in sources[one.source.label].values()),
    )
    for fold in folds:
        check(part.task, fold)
    viewed = _Viewed(part, sources, RecordStore(workspace.folder.records))
    cells = sum(len(unit.classifiers) for unit in pending_units(part, viewed.store, workspace.limits))
    pieces = [(part, viewed.of(one), fold, viewed.views_of(one), viewed.store) for one in chosen for fold in folds]
    with workspace.progress(FITTING, cells + len(pieces)) as advance:
        run_grid(part, viewed.store, workspace.executor, advance)
        for _ in workspace.executor.map(predict_sources, pieces, _without_prediction):
            advance(1)
    return viewed


def _without_prediction(position: int, stop: Stop) -> None:
    _log.warning("The models of a fold do not predict the views: %s.", stop.words)


@dataclass(frozen=True)
class _Viewed:
    """Combinations that were fitted in views.

    Attributes
    ----------
    grid : Grid
        Of the sample; an extractor in a view is a source of its own.
    sources : mapping
        Extractor -> view -> source.
    store : RecordStore
    """

    grid: Grid
    sources: Mapping[str, Mapping[str, FeatureSource]]
    store: RecordStore

    def of(self, combination: Combination, view: str = UNTOUCHED) -> Combination:
        """The combination in a view."""
        return replace(combination, source=self.sources[combination.source.label][view])

    def views_of(self, combination: Combination) -> list[FeatureSource]:
        """Its sources in views."""
        return [one for view, one in self.sources[combination.source.label].items() if view != UNTOUCHED]

    def table(self, chosen: Sequence[Combination], evaluation: Evaluation, metric: Metric) -> pd.DataFrame:
        """One row per combination and view; see `leukobench.runs.view_answer.ViewResult`."""
        import pandas as pd

        task = self.grid.task
        numbers = np.zeros(len(task), dtype=np.int64)
        for fold in self.grid.folds:
            numbers[fold.test] = fold.number
        paired = PairedScores(
            task.labels, task.classes, task.groups, numbers, metric, evaluation.resamples, evaluation.seed
        )
        rows = [row for one in chosen for row in self._rows(one, paired, evaluation.view_margin)]
        return pd.DataFrame(rows).astype({"images_to_decide": "Int64"}) if rows else pd.DataFrame(rows)

    def _rows(self, combination: Combination, paired: PairedScores, share: float) -> list[dict[str, Any]]:
        whole = self._scores(paired, [self.grid.key(self.of(combination), fold) for fold in self.grid.folds])
        if whole is None:
            return []
        margin, rows = paired.margin(whole, share), []
        for view in VIEWS:
            if view.name not in self.sources[combination.source.label]:
                continue
            within = self.of(combination, view.name)
            anew = self._scores(paired, [self.grid.key(within, fold) for fold in self.grid.folds])
            keys = [unchanged_key(self.grid, self.of(combination), fold, within.source) for fold in self.grid.folds]
            unchanged = self._scores(paired, keys)
            if anew is None or unchanged is None:
                _log.warning("No result of %s in the view %s: a fit failed.", " x ".join(combination.labels), view.name)
                continue
            named = {"view": view.name, "words": view.words, "removes": view.removes}
            rows.append(
                as_columns(combination.labels)
                | named
                | {"untouched": whole[0], "margin": margin}
                | _decided(paired.drop(whole, anew), margin, len(paired.labels))
                | _of_unchanged(paired.drop(whole, unchanged))
            )
        return rows

    def _scores(self, paired: PairedScores, keys: Sequence[str]) -> Scores | None:
        """From the records of all folds; None where one failed."""
        probabilities: Floats = np.empty((len(paired.labels), len(paired.classes)))
        for key, fold in zip(keys, self.grid.folds, strict=True):
            record = self.store.read(key)
            if record is None or record.probabilities is None:
                return None
            probabilities[fold.test] = record.probabilities
        return paired.scores(probabilities)


def _decided(drop: Drop, margin: float | None, images: int) -> dict[str, Any]:
    verdict = UNDECIDED if margin is None else drop.verdict(margin)
    lacking = drop.images_to_decide(margin, images) if margin is not None and verdict == UNDECIDED else None
    numbers = {"value": drop.value, "drop": drop.drop, "low": drop.low, "high": drop.high}
    return numbers | {"verdict": verdict, "images_to_decide": lacking}


def _of_unchanged(drop: Drop) -> dict[str, float]:
    ends = {"": drop.value, "_drop": drop.drop, "_low": drop.low, "_high": drop.high}
    return {f"unchanged{end}": value for end, value in ends.items()}
