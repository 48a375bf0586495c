"""Write the answer: the sentences, over the protocol that every number comes from."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..config.presets import preset_words
from ..evaluation.grid import Grid
from ..evaluation.scores import Scored
from ..evaluation.smote import few_neighbours
from ..reporting.answer import Findings, make_answer
from ..reporting.protocol import copies_line, corrections_line, groups, opened_line, protocol
from ..reporting.split_words import across_folds, leak_warnings
from ..runs.answer import Duplicates
from ..runs.finished import read_table
from ..runs.folder import RunFolder
from .audit_index import Audited
from .choose_methods import weights_in_words
from .find_sites import sites_line, sites_of
from .given_split import ignored_line, is_given
from .prepare_run import PreparedRun
from .score_controls import controls_line
from .score_shortcuts import background_line

_log = logging.getLogger(__name__)


def protocol_lines(prepared: PreparedRun, audited: Audited, grid: Grid, folder: RunFolder) -> list[str]:
    """Images, groups, folds and weights in words."""
    described = {label: extractor.description for label, extractor in prepared.extractors.items()}
    described |= {f"pixels x {method.label}": weights_in_words(method) for method in prepared.networks}
    evaluation = prepared.experiment.evaluation
    given = is_given(evaluation)
    sealed = len(read_table(folder.path / "sealed.parquet")) if evaluation.holdout or given else 0
    validation = 0 if audited.validation is None else len(audited.validation)
    lines = protocol(audited.index, evaluation, described, prepared.rules.tuning, sealed, validation)
    if ignored := ignored_line(evaluation, audited.index):
        lines.append(ignored)
    lines[1 if not evaluation.permute else 2] = across_folds(groups(audited.index), audited.leaks).words
    lines += leak_warnings(audited.leaks) if audited.leaks else []
    if copies := copies_line(prepared.experiment.images.copies):
        lines.insert(2, copies)
    if preset := preset_words(prepared.experiment):
        lines.append(preset)
    lines += prepared.notes
    if (sites := sites_of(audited.index, evaluation)) is not None:
        lines.append(sites_line(sites, str(evaluation.leave_out)))
    if controls := controls_line(grid):
        lines.append(controls)
    if unseen := background_line(audited.measurements, audited.names):
        lines.append(unseen)
    if corrected := corrections_line(prepared.experiment.images.corrections, prepared.index):
        lines.append(corrected)
    if prepared.experiment.evaluation.balance == "smote" and (words := few_neighbours(grid.task, grid.folds)):
        lines.append(words)
    if opened := folder.read_json("holdout.json"):
        lines.append(opened_line(opened["opened"], given))
    return lines


def write_answer(
    scored: Scored,
    prepared: PreparedRun,
    audited: Audited,
    lines: Sequence[str],
    folder: RunFolder,
    findings: Findings,
) -> None:
    """Write ``answer.json``."""
    duplicates = Duplicates.from_json(audited.summary)
    source = across_folds(groups(audited.index), audited.leaks)
    answer = make_answer(scored, prepared.experiment, source, duplicates, lines, findings)
    folder.write_json("answer.json", answer.to_json())
    if len(scored.notes):
        counts = " and ".join(f"{count:,} {kind}s" for kind, count in scored.notes["kind"].value_counts().items())
        _log.warning("The fits reported %s: see %s.", counts, folder.notes)
