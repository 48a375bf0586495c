"""Planning: trials as long as they cost little beside the run, and the forecast that follows from them."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..features.views import VIEWS
from ..machine import Advance
from ..runs.costs import Costs
from ..runs.folder import RunFolder
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..steps.audit_index import MEASURING, audit_index
from ..steps.compute_statistics import COMPUTING
from ..steps.find_copies import COMPARING
from ..steps.fit_combinations import FITTING
from ..steps.fit_permutations import permuted_combinations
from ..steps.prepare_run import PreparedRun
from ..steps.score_shortcuts import baselines
from ..steps.score_views import LEAST_IMAGES
from .plan_cells import statistics_seconds
from .plan_checks import check_splits
from .plan_forecast import fold_seconds, straight
from .plan_trials import STARTING, Fits, PlannedRun, Trial, first_sizes, trial_order, try_on

REST = "tables, figures, report"
VIEWS_STAGE = "views of the best combination"
_FREE_S, _SHARE, _GROWTH = 7.0, 0.08, 4
"""Seconds that any plan may take, or part of the run: less than promised, since a process also starts and ends."""
_FEW = 2
_SLOW_S = 3.0
"""What a step may take before anything is known of the run."""
_REST_S, _REST_OF_ONE_S = 2.5, 0.01


@dataclass
class Planning:
    """The trials of a plan.

    Attributes
    ----------
    work : PreparedRun
    planned : PlannedRun
        What is still to be done; each trial leaves less.
    workers : int
    start : float
        When the plan began, on the clock of `time.perf_counter`.
    conversion : Future or None
        Of networks; see `converting`.
    trials : list of Trial
    comparing_s : float or None
        Seconds of comparing all images, where that was done.
    tried : list of int
        Images of the trials that count.
    """

    work: PreparedRun
    planned: PlannedRun
    workers: int
    start: float
    conversion: Any = None
    trials: list[Trial] = field(default_factory=list)
    comparing_s: float | None = None
    tried: list[int] = field(default_factory=list)

    @cached_property
    def combinations(self) -> int:
        """Combinations that are no networks, and shortcuts; of permuted labels, those that are permuted."""
        experiment = self.work.experiment
        grid = len(experiment.extractors) * len(experiment.selectors) * len(experiment.classifiers)
        if experiment.evaluation.permute:
            return len(permuted_combinations([one.label for one in experiment.extractors], *self.work.methods)[0])
        return grid + len(self.work.controls) + sum(1 for _ in baselines(experiment.evaluation, len(self.work.index)))

    def most(self) -> int:
        """Trials at most, and the comparison of all images."""
        return 3 + max(0, math.ceil(math.log(max(1, len(self.work.index) / first_sizes(self.work)[1]), _GROWTH)))

    def try_and_compare(self, advance: Advance) -> None:
        """All trials that the plan can afford; compares all images where it can."""
        order, (warm, size) = trial_order(self.work), first_sizes(self.work)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            extracts = any(count for stage, count in self.planned.to_do.items() if stage != MEASURING)
            if extracts and self.conversion and not self.conversion.done():
                self._try_meanwhile(order, warm, size, folder, advance)
                size = min(_GROWTH * size, len(order))
            else:
                self._try_first(order, warm, folder, extracts)
            advance(1)
            while not self.tried or self._affords(self._seconds_of(size)):
                self._try(order[: self._fewer(size)], folder / str(size))
                advance(1)
                if size >= len(order):
                    break
                size = min(_GROWTH * size, len(order))
            if self.comparing_s is None and self._affords(self._seconds_of_comparing()):
                self._compare(folder / "all", advance)

    def _try_first(self, order: Sequence[int], warm: int, folder: Path, extracts: bool) -> None:
        """Pay what the first use of everything costs."""
        if extracts and not self.conversion:
            self._try(order[:_FEW], folder / "once", fits="none")
            if self.trials[0].seconds > _SLOW_S:  # what the first use of a network costs is paid now
                self.trials.clear()
        self._try(order[:warm], folder / "warm", fits="first")

    def _try_meanwhile(self, order: Sequence[int], warm: int, size: int, folder: Path, advance: Advance) -> None:
        """While networks are converted: all that needs none of them, then what they extract."""
        self._try(order[:warm], folder / "warm", fits="first", extract=False)
        self._try(order[:size], folder / "measured", extract=False)
        advance(1)
        if self._affords(self._seconds_of_comparing()):
            self._compare(folder / "all", advance)
        self.conversion.exception()  # waits
        self._try(order[:warm], folder / "extracted", fits="none")

    def forecast(self) -> dict[str, float]:
        """Seconds of each stage of the run, in their order."""
        return self._extracting(self.planned.to_do) | {
            COMPARING: self._comparing() if self.comparing_s is None else self.comparing_s,
            FITTING: self._fitting(),
            COMPUTING: self._statistics_s,
            **({VIEWS_STAGE: self._viewing()} if self.viewed else {}),
            REST: _REST_S + self.combinations * _REST_OF_ONE_S,
        }

    @cached_property
    def viewed(self) -> int:
        """Images times views that will be read of one extractor; 0 where there will be no views."""
        evaluation, images = self.work.experiment.evaluation, len(self.work.index)
        if evaluation.views == "off" or evaluation.permute or images < LEAST_IMAGES or not self.work.extractors:
            return 0
        sample = images if evaluation.view_images == "all" else min(images, evaluation.view_images)
        return sample * len(VIEWS)

    def _viewing(self) -> float:
        """Seconds of reading the views, of the costliest extractor; fits on the sample cost little beside it."""
        extracting = {stage: self.viewed for stage in self.planned.to_do if stage != MEASURING}
        seconds = self._extracting(extracting).values()
        return sum(seconds) if self.work.experiment.evaluation.views == "all" else max(seconds, default=0.0)

    @cached_property
    def _statistics_s(self) -> float:
        return statistics_seconds(self.work.index, self.work.experiment.evaluation, self.combinations)

    def _try(self, rows: Sequence[int], folder: Path, fits: Fits = "all", extract: bool = True) -> None:
        trial = try_on(self.work, rows, folder, self.workers, fits, extract)
        self.trials.append(trial)
        self.tried += [trial.images] if fits == "all" else []
        self.planned = self.planned.after(trial.stages)

    def _compare(self, folder: Path, advance: Advance) -> None:
        """The audit of all images, and the folds over what it groups."""
        costs = Costs()
        workspace = Workspace.of(RunFolder(folder), self.workers, costs.time_stages(silent))
        workspace.folder.begin_features()
        index = audit_index(self.work.experiment, self.work.index, workspace).index
        check_splits(self.work.experiment, index, audited=True)
        self.planned = self.planned.after(costs.stages)
        self.comparing_s = costs.stages.get(COMPARING, (0, 0.0))[1]
        advance(1)

    def _extracting(self, to_do: dict[str, int]) -> dict[str, float]:
        """Seconds of measuring so many images, and of each stage of extraction."""
        extracting = {}
        for stage, count in to_do.items():
            measured = [trial.stages.get(stage, (0, 0.0)) for trial in self.trials]
            extracting[stage] = (
                straight([(done, seconds) for done, seconds in measured if done], count) if count else 0.0
            )
        return extracting

    def _comparing(self) -> float:
        points = [(trial.images, trial.stages[COMPARING][1]) for trial in self.trials if COMPARING in trial.stages]
        return straight(points, self.planned.distinct)

    def _fitting(self) -> float:
        """Seconds of all folds, each process beginning once."""
        cells, planned = [trial.cells for trial in self.trials if trial.cells], self.planned
        if not cells:
            return 0.0
        train, test = planned.images * (planned.folds - 1) / planned.folds, planned.images / planned.folds
        units, folds = fold_seconds(cells, train, test), planned.cells
        left = max(0.0, 1 - planned.records / (self.combinations * folds))
        starting = sum(trial.stages.get(STARTING, (0, 0.0))[1] for trial in self.trials) if left else 0.0
        return starting + left * max(units.sum() * folds / self.workers, units.max())

    def _affords(self, seconds: float) -> bool:
        spent = time.perf_counter() - self.start
        return spent + seconds <= max(_FREE_S, _SHARE * sum(self.forecast().values()))

    def _seconds_of(self, size: int) -> float:
        """Seconds of a trial on so many images, of which the last one had a part."""
        last = next((trial for trial in reversed(self.trials) if trial.cells), self.trials[-1])
        extracting = sum(self._extracting(self.planned.part(size - last.images)).values())
        return extracting + last.seconds * max(1.0, size / last.images) ** 0.5

    def _seconds_of_comparing(self) -> float:
        """Seconds of the audit of all images; of so few, the rest of it costs as much."""
        measuring = self._extracting({MEASURING: self.planned.to_do.get(MEASURING, 0)})
        return 2 * (measuring[MEASURING] + self._comparing()) + 1

    def _fewer(self, size: int) -> int:
        """For the first trial that counts, so many images or fewer where a slow network would spend long on them."""
        done = self.trials[-1].images
        while not self.tried and size > 2 * done:
            if sum(self._extracting(self.planned.part(size - done)).values()) <= _SLOW_S:
                break
            size //= 2
        return size
