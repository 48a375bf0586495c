"""Make the answer of a run: the best combination, what is as good, what shortcuts reach, copies; in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..config.experiment import Experiment
from ..evaluation.combination_names import NAMES, SHORTCUT, title
from ..evaluation.metric import Metric
from ..evaluation.metrics import metric_of
from ..evaluation.scores import Scored
from ..runs.answer import Answer, Chance, Duplicates, Groups, ShortcutVerdict, Winner

if TYPE_CHECKING:
    import pandas as pd

_PARTLY, _WHOLLY = 0.5, 0.9
"""Share of the way from guessing to the best combination that a shortcut covers."""


def make_answer(
    scored: Scored,
    experiment: Experiment,
    groups: Groups,
    duplicates: Duplicates,
    protocol: Sequence[str],
    chance: Chance | None = None,
) -> Answer:
    """The answer of a run.

    Parameters
    ----------
    scored : Scored
    experiment : Experiment
    groups : Groups
        See `leukobench.reporting.protocol.groups`.
    duplicates : Duplicates
    protocol : sequence of str
        Lines that are shown with every number.
    chance : Chance, optional
        Where labels were permuted.
    """
    evaluation = experiment.evaluation
    best = Winner.from_json(scored.winner) if scored.winner else None
    answer = Answer(
        name=experiment.name,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        sentences=(),
        protocol=tuple(protocol),
        best=best,
        indistinguishable=int(scored.leaderboard["indistinguishable"].eq(True).sum()) - 1 if best else 0,
        shortcut=_shortcut(scored, metric_of(evaluation.rank_by)) if best else None,
        groups=groups,
        duplicates=duplicates,
        chance=chance,
    )
    return replace(answer, sentences=_sentences(answer))


def _shortcut(scored: Scored, metric: Metric) -> ShortcutVerdict | None:
    """The strongest shortcut that the best combination does not beat; where it beats all, the strongest."""
    table = scored.leaderboard
    column = metric.name
    rows = table[(table["kind"] == "shortcut") & table[column].notna()].sort_values(column, ascending=False)
    if not len(rows):
        return None
    names = rows[list(NAMES)].itertuples(index=False, name=None)
    beaten = [scored.against[name][1] > 0 for name in names]  # a limit that is not defined beats nothing
    row = rows.iloc[0 if all(beaten) else beaten.index(False)]
    value, best, floor = float(row[column]), float(table[column].iloc[0]), _guessing(scored, rows, column)
    share = (value - floor) / (best - floor) if best > floor else 1.0
    failed = int((table["kind"] == "shortcut").sum()) - len(rows)
    verdict = "unknown" if failed else "better"
    verdict = "not better" if not all(beaten) else "confounded" if share >= _PARTLY else verdict
    facts = {
        "name": str(row["extractor"]).removeprefix(SHORTCUT),
        "value": value,
        "low": float(row[f"{column}_low"]),
        "high": float(row[f"{column}_high"]),
        "failed": failed,
        "verdict": verdict,
        "share": share,
        "words": "",
    }
    shortcut = ShortcutVerdict.from_json(facts)
    return replace(shortcut, words=_verdict(shortcut, metric))


def _guessing(scored: Scored, shortcuts: pd.DataFrame, column: str) -> float:
    """What guessing reaches: that of the majority class, where it depends on the images."""
    if scored.guessing is not None:
        return scored.guessing
    majority = shortcuts.loc[shortcuts["extractor"] == f"{SHORTCUT}majority class", column]
    return float(majority.iloc[0]) if len(majority) else 0.0


def _verdict(shortcut: ShortcutVerdict, metric: Metric) -> str:
    interval = metric.brackets(shortcut.low, shortcut.high)
    reached = f"{shortcut.name} alone reaches {metric.with_unit(shortcut.value)} {metric.title} {interval}"
    if shortcut.verdict == "not better":
        return f"NOT BETTER THAN A SHORTCUT: {reached}, and the best combination is not better beyond its interval."
    covered = (
        f"{reached}, {100 * shortcut.share:.0f} % of the way from guessing to the best combination, without looking at "
        "a cell"
    )
    if shortcut.verdict == "confounded" and shortcut.share >= _WHOLLY:
        return f"CONFOUNDED: {covered}: the score is no evidence of diagnostic skill."
    if shortcut.verdict == "confounded":
        return f"PARTLY CONFOUNDED: {covered}: only what lies above that can be skill."
    if shortcut.verdict == "unknown":
        return (
            f"SHORTCUTS UNKNOWN: {shortcut.failed} of them failed (notes.csv), so their scores are unknown; of the "
            f"others, {reached}."
        )
    return f"Better than every shortcut: the strongest, {reached}."


def _sentences(answer: Answer) -> tuple[str, ...]:
    best, groups = answer.best, answer.groups.words
    if best is None:
        return "Every combination failed.", "There is nothing to compare.", f"{groups}."
    if answer.chance:
        return answer.chance.words, f"{groups[0].upper()}{groups[1:]}."
    others = answer.indistinguishable
    alike = (
        f"{others} other combination{'s' if others > 1 else ''} cannot be distinguished from it"
        if others
        else "Every other combination can be distinguished from it"
    )
    compared = f"{alike} (corrected resampled t-test over folds, Holm, 5 %)."
    shortcut = answer.shortcut.words if answer.shortcut else "No shortcut could be scored."
    return (
        _best_sentence(best),
        compared if best.picked_among > 1 else "There is nothing to compare it with.",
        f"{shortcut} {groups[0].upper()}{groups[1:]}.",
    )


def _best_sentence(best: Winner) -> str:
    metric = metric_of(best.metric)
    sentence = f"{title(best.names)}, {metric.title} {metric.with_interval(best.value, best.low, best.high)}"
    if best.picked_among == 1:
        return f"The only combination: {sentence}."
    corrected = metric.with_interval(best.corrected, best.corrected_low, best.corrected_high)
    count = best.picked_among
    return f"Best of {count}: {sentence}; corrected for selecting the best of {count}: {corrected}."
