"""Make the answer of a run: the best combination, what is as good, what shortcuts reach, copies; in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..config.experiment import Experiment
from ..evaluation.scores import Scored
from ..runs.answer import Answer, Chance, Duplicates, Groups, ShortcutVerdict, Winner

if TYPE_CHECKING:
    import pandas as pd

_PARTLY, _WHOLLY = 0.5, 0.9
"""Share of the way from guessing to the best combination that a shortcut covers."""


def make_answer(
    scored: Scored, experiment: Experiment, groups: Groups, duplicates: Duplicates, protocol: Sequence[str]
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
        Lines that stand over every number.
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
        shortcut=_shortcut(scored, evaluation.rank_by) if best else None,
        groups=groups,
        duplicates=duplicates,
        chance=Chance.from_json(scored.chance) if evaluation.permute else None,
    )
    return replace(answer, sentences=_sentences(answer))


def _shortcut(scored: Scored, metric: str) -> ShortcutVerdict | None:
    """The strongest shortcut that the best combination does not beat; where it beats all, the strongest."""
    table = scored.leaderboard
    rows = table[(table["kind"] == "shortcut") & table[metric].notna()].sort_values(metric, ascending=False)
    if not len(rows):
        return None
    names = zip(rows["extractor"], rows["selector"], rows["classifier"], strict=True)
    beaten = [scored.against[name][1] > 0 for name in names]  # a limit that is not defined beats nothing
    row = rows.iloc[0 if all(beaten) else beaten.index(False)]
    value, best, floor = float(row[metric]), float(table[metric].iloc[0]), _guessing(scored, rows, metric)
    share = (value - floor) / (best - floor) if best > floor else 1.0
    failed = int((table["kind"] == "shortcut").sum()) - len(rows)
    verdict = "unknown" if failed else "better"
    verdict = "not better" if not all(beaten) else "confounded" if share >= _PARTLY else verdict
    facts = {
        "name": str(row["extractor"]).removeprefix("shortcut: "),
        "value": value,
        "low": float(row[f"{metric}_low"]),
        "high": float(row[f"{metric}_high"]),
        "failed": failed,
        "verdict": verdict,
        "share": share,
        "words": "",
    }
    shortcut = ShortcutVerdict.from_json(facts)
    return replace(shortcut, words=_verdict(shortcut, metric))


def _guessing(scored: Scored, shortcuts: pd.DataFrame, metric: str) -> float:
    """What guessing reaches: known for some metrics, else that of the majority class."""
    known = {"balanced_accuracy": scored.chance["expected"], "auroc": 0.5, "mcc": 0.0}
    majority = shortcuts.loc[shortcuts["extractor"] == "shortcut: majority class", metric]
    return float(known.get(metric, majority.iloc[0] if len(majority) else 0.0))


def _verdict(shortcut: ShortcutVerdict, metric: str) -> str:
    interval = _interval(shortcut.low, shortcut.high)
    reached = f"{shortcut.name} alone reaches {percent(shortcut.value)} {_words(metric)} {interval}"
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
            f"SHORTCUTS UNKNOWN: {shortcut.failed} of them failed (notes.csv), so nobody knows what they reach; of the "
            f"others, {reached}."
        )
    return f"Better than every shortcut: the strongest, {reached}."


def _sentences(answer: Answer) -> tuple[str, ...]:
    best, groups = answer.best, answer.groups.words
    if best is None:
        return "Every combination failed.", "There is nothing to compare.", f"{groups}."
    if answer.chance:
        return answer.chance.words, _best_sentence(best), f"{groups}."
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
    names, interval = " x ".join(best.names), _interval(best.low, best.high)
    sentence = f"{names}, {_words(best.metric)} {percent(best.value)} {interval}"
    if best.picked_among == 1:
        return f"The only combination: {sentence}."
    corrected = f"{percent(best.corrected)} {_interval(best.corrected_low, best.corrected_high)}"
    count = best.picked_among
    return f"Best of {count}: {sentence}; corrected for selecting the best of {count}: {corrected}."


def percent(value: float | None) -> str:
    """``0.9988`` as ``99.88 %``; a number that is not defined as ``undefined``."""
    return "undefined" if value is None else f"{100 * value:.2f} %"


def _interval(low: float | None, high: float | None) -> str:
    return "[no interval]" if low is None or high is None else f"[{100 * low:.2f} to {100 * high:.2f}]"


def _words(metric: str) -> str:
    return metric.replace("_", " ")
