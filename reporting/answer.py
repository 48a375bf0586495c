"""The answer of a run in words: the best combination, what cannot be told from it, what shortcuts reach, copies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..config.experiment import Evaluation
from ..evaluation.scores import Scored

if TYPE_CHECKING:
    import pandas as pd

_PARTLY, _WHOLLY = 0.5, 0.9
"""Share of the way from guessing to the best combination that a shortcut covers."""


def make_answer(
    scored: Scored,
    evaluation: Evaluation,
    groups: tuple[str, str],
    duplicates: Mapping[str, Any],
    protocol: Sequence[str],
) -> dict[str, Any]:
    """What ``answer.json`` holds, JSON-like.

    Parameters
    ----------
    scored : Scored
    evaluation : Evaluation
    groups : (str, str)
        Kind of the groups, and the same in words; see `leukobench.reporting.protocol.groups`.
    duplicates : mapping
        Counts and ``words`` of the audit.
    protocol : sequence of str
        Lines that stand over every number.

    Returns
    -------
    dict
        ``protocol`` and ``sentences`` (lists of str), ``best`` (None when every combination failed),
        ``indistinguishable`` (how many others), ``shortcut``, ``groups``, ``duplicates`` and ``chance`` (None unless
        the labels were permuted).
    """
    kind, words = groups
    best = _best(scored)
    shortcut = _shortcut(scored, evaluation.rank_by) if best else None
    chance = scored.chance if evaluation.permute else None
    answer = {
        "protocol": list(protocol),
        "best": best,
        "indistinguishable": int(scored.leaderboard["indistinguishable"].eq(True).sum()) - 1 if best else 0,
        "shortcut": shortcut,
        "groups": {"kind": kind, "words": words},
        "duplicates": dict(duplicates),
        "chance": chance,
    }
    return answer | {"sentences": _sentences(answer)}


def _best(scored: Scored) -> dict[str, Any] | None:
    if scored.winner is None:
        return None
    return {key: _number(value) if isinstance(value, float) else value for key, value in scored.winner.items()}


def _shortcut(scored: Scored, metric: str) -> dict[str, Any] | None:
    """The strongest shortcut, and whether the best combination beats it."""
    table = scored.leaderboard
    rows = table[(table["kind"] == "shortcut") & table[metric].notna()].sort_values(metric, ascending=False)
    if not len(rows):
        return None
    names = zip(rows["extractor"], rows["selector"], rows["classifier"], strict=True)
    gaps = [scored.against[name][1] for name in names]
    row, gap_low = next(
        ((rows.iloc[place], gap) for place, gap in enumerate(gaps) if not gap > 0), (rows.iloc[0], gaps[0])
    )
    name = str(row["extractor"]).removeprefix("shortcut: ")
    value, best, floor = float(row[metric]), float(table[metric].iloc[0]), _guessing(scored, rows, metric)
    share = (value - floor) / (best - floor) if best > floor else 1.0
    facts = {"name": name, "value": value, "low": _number(row[f"{metric}_low"]), "high": _number(row[f"{metric}_high"])}
    failed = int((table["kind"] == "shortcut").sum()) - len(rows)
    verdict = "unknown" if failed else "better"
    verdict = "not better" if not gap_low > 0 else "confounded" if share >= _PARTLY else verdict
    facts["failed"] = failed
    return facts | {"verdict": verdict, "share": share, "words": _verdict(verdict, facts, metric, share)}


def _guessing(scored: Scored, shortcuts: pd.DataFrame, metric: str) -> float:
    """What guessing reaches: known for some metrics, else that of the majority class."""
    known = {"balanced_accuracy": scored.chance["expected"], "auroc": 0.5, "mcc": 0.0}
    majority = shortcuts.loc[shortcuts["extractor"] == "shortcut: majority class", metric]
    return float(known.get(metric, majority.iloc[0] if len(majority) else 0.0))


def _verdict(verdict: str, facts: Mapping[str, Any], metric: str, share: float) -> str:
    reached = f"{facts['name']} alone reaches {percent(facts['value'])} {_said(metric)} {_interval(facts)}"
    if verdict == "not better":
        return f"NOT BETTER THAN A SHORTCUT: {reached}, and the best combination is not better beyond its interval."
    covered = (
        f"{reached}, {100 * share:.0f} % of the way from guessing to the best combination, without looking at a cell"
    )
    if verdict == "confounded" and share >= _WHOLLY:
        return f"CONFOUNDED: {covered}: the score is no evidence of diagnostic skill."
    if verdict == "confounded":
        return f"PARTLY CONFOUNDED: {covered}: only what lies above that can be skill."
    if verdict == "unknown":
        return (
            f"SHORTCUTS UNKNOWN: {facts['failed']} of them failed (notes.csv), so nobody knows what they reach; of the "
            f"others, {reached}."
        )
    return f"Better than every shortcut: the strongest, {reached}."


def _sentences(answer: Mapping[str, Any]) -> list[str]:
    best = answer["best"]
    if best is None:
        return ["Every combination failed.", "There is nothing to compare.", answer["groups"]["words"] + "."]
    if answer["chance"]:
        return [answer["chance"]["words"], _best_sentence(best), answer["groups"]["words"] + "."]
    others = answer["indistinguishable"]
    alike = (
        f"{others} other combination{'s cannot' if others > 1 else ' cannot'} be told from it"
        if others
        else "Every other combination is told from it"
    )
    told = f"{alike} (corrected resampled t-test over folds, Holm, 5 %)."
    shortcut = answer["shortcut"]["words"] if answer["shortcut"] else "No shortcut could be scored."
    return [
        _best_sentence(best),
        told if best["picked_among"] > 1 else "There is nothing to compare it with.",
        f"{shortcut} {answer['groups']['words'][0].upper()}{answer['groups']['words'][1:]}.",
    ]


def _best_sentence(best: Mapping[str, Any]) -> str:
    corrected = {"low": best["corrected_low"], "high": best["corrected_high"]}
    picked = f"; corrected for having been picked: {percent(best['corrected'])} {_interval(corrected)}"
    return (
        f"{'Best of ' + str(best['picked_among']) if best['picked_among'] > 1 else 'The only combination'}: "
        f"{best['extractor']} x {best['selector']} x {best['classifier']}, {_said(best['metric'])} "
        f"{percent(best['value'])} {_interval(best)}{picked if best['picked_among'] > 1 else ''}."
    )


def percent(value: float | None) -> str:
    """``0.9988`` as ``99.88 %``; a number that is not defined as ``undefined``."""
    return "undefined" if value is None else f"{100 * value:.2f} %"


def _interval(facts: Mapping[str, Any]) -> str:
    if facts["low"] is None or facts["high"] is None:
        return "[no interval]"
    return f"[{100 * facts['low']:.2f} to {100 * facts['high']:.2f}]"


def _said(metric: str) -> str:
    return metric.replace("_", " ")


def _number(value: Any) -> float | None:
    """`value`; None, as JSON has it, where it is not defined."""
    return None if value is None or math.isnan(value) else float(value)
