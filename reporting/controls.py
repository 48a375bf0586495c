"""Controls in words: what a network that was never trained, and a few pixels, reach beside the best combination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..evaluation.combination_names import NAMES
from ..evaluation.metric import Metric
from ..evaluation.scores import Scored
from ..runs.control_answer import Control
from .verdicts import HALF

CONTROL = "control: "
"""What the extractor's name of a control begins with."""
RANDOM = "RANDOM "
"""What the name of one with random weights begins with."""


@dataclass(frozen=True)
class ControlVerdict:
    """Whether the best combination is better than every control that was scored.

    Attributes
    ----------
    name : {"better", "not better"}
    state : {"good", "note", "warn"}
        Its colour.
    title : str
        In a box.
    control : Control
        The strongest that is not beaten; where all are, the strongest.
    """

    name: Literal["better", "not better"]
    state: Literal["good", "note", "warn"]
    title: str
    control: Control


def controls_verdict(controls: Sequence[Control]) -> ControlVerdict | None:
    """The verdict; None without controls. It is good only where surely more than half of the way is beyond them."""
    if not controls:
        return None
    if unbeaten := [one for one in controls if not one.beaten]:
        what = "a random network" if unbeaten[0].name.startswith(RANDOM) else unbeaten[0].name
        return ControlVerdict("not better", "warn", f"Not better than {what}", unbeaten[0])
    covered = controls[0].share_high
    state: Literal["good", "note"] = "good" if covered is not None and covered < HALF else "note"
    return ControlVerdict("better", state, "Better than the controls tried", controls[0])


def controls_of(scored: Scored, metric: Metric, floor: float) -> tuple[Control, ...]:
    """Controls that were scored, strongest first; `floor` is what guessing reaches."""
    table, column = scored.leaderboard, metric.name
    if not scored.winner:
        return ()
    rows = table[(table["kind"] == "control") & table[column].notna()].sort_values(column, ascending=False)
    best = float(scored.winner["value"])
    controls = []
    for row in rows.to_dict("records"):
        lead, low, high = scored.against[tuple(row[name] for name in NAMES)]
        share = [1 - gap / (best - floor) if best > floor else None for gap in (lead, high, low)]
        facts = {
            "name": str(row["extractor"]).removeprefix(CONTROL),
            **{name: row[f"{column}{end}"] for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))},
            **{"lead": lead, "lead_low": low, "lead_high": high},
            **dict(zip(("share", "share_low", "share_high"), share, strict=True)),
        }
        controls.append(Control.from_json(facts))
    return tuple(controls)


def controls_sentence(controls: Sequence[Control], metric: Metric) -> str:
    """Of the strongest control that is not beaten, or else of the strongest; '' where neither says much.

    It says something where the best combination is not shown to be better, and where more than half of the way from
    guessing to it needs no more than the control has.
    """
    if unbeaten := [one for one in controls if not one.beaten]:
        return (
            f"NOT BETTER THAN A CONTROL: {reaches(unbeaten[0], metric)}, and the best combination is not better beyond "
            f"the interval of their difference, {lead_text(unbeaten[0], metric)}, which allows for its having "
            "been selected."
        )
    if not controls or (controls[0].share_low or 0.0) <= HALF:
        return ""
    first = controls[0]
    needs = "needs no trained network" if first.name.startswith(RANDOM) else "needs no more than these pixels"
    return (
        f"{reaches(first, metric)}: {share_text(first)} of the way from guessing to the best combination {needs}. The "
        f"best combination leads by {lead_text(first, metric)}."
    )


def control_lines(controls: Sequence[Control], metric: Metric) -> list[str]:
    """What each reaches, and the lead over it."""
    return [f"{reaches(one, metric)}; lead of the best combination {lead_text(one, metric)}" for one in controls]


def reaches(control: Control, metric: Metric) -> str:
    """What it is, and its score with its interval."""
    score = f"{metric.with_unit(control.value)} {metric.title} {metric.brackets(control.low, control.high)}"
    what = f"{control.name} (random weights, never trained) reaches"
    return f"{what if control.name.startswith(RANDOM) else subject_verb(control)} {score}"


def subject_verb(control: Control) -> str:
    """What it is in short, and the verb: ``16 x 16 pixels reach``."""
    if control.name.startswith(RANDOM):
        return "A network that was never trained reaches"
    return f"{control.name} {'reach' if control.name.endswith('pixels') else 'reaches'}"


def share_text(control: Control) -> str:
    """The share of the way from guessing, with its interval: ``89 % [84 to 94]``."""
    share, low, high = (100 * (one or 0.0) for one in (control.share, control.share_low, control.share_high))
    return f"{share:.0f} % [{low:.0f} to {high:.0f}]"


def lead_text(control: Control, metric: Metric) -> str:
    """The lead with its interval, in points where the metric is in percent."""
    points = " points" if metric.unit == "percent" else ""
    return f"{metric.digits(control.lead)}{points} {metric.brackets(control.lead_low, control.lead_high)}"
