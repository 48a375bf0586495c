"""Controls in words: what a network that was never trained, and a few pixels, reach beside the best combination."""

from __future__ import annotations

from collections.abc import Sequence

from ..evaluation.combination_names import NAMES
from ..evaluation.metric import Metric
from ..evaluation.scores import Scored
from ..runs.control_answer import Control
from .verdicts import HALF

CONTROL = "control: "
"""What the extractor's name of a control begins with."""
RANDOM = "RANDOM "
"""What the name of one with random weights begins with."""


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
    if unbeaten := [one for one in controls if not beaten(one)]:
        return (
            f"NOT BETTER THAN A CONTROL: {reaches(unbeaten[0], metric)}, and the best combination is not better beyond "
            f"the interval of their difference, {lead_text(unbeaten[0], metric)}, which counts that it was picked."
        )
    if not controls or (controls[0].share_low or 0.0) <= HALF:
        return ""
    first = controls[0]
    low, high = 100 * (first.share_low or 0.0), 100 * (first.share_high or 0.0)
    needs = "needs no trained network" if first.name.startswith(RANDOM) else "needs no more than these pixels"
    share = f"{100 * (first.share or 0.0):.0f} % [{low:.0f} to {high:.0f}]"
    return (
        f"{reaches(first, metric)}: {share} of the way from guessing to the best combination {needs}. The best "
        f"combination leads by {lead_text(first, metric)}."
    )


def control_lines(controls: Sequence[Control], metric: Metric) -> list[str]:
    """What each reaches, and the lead over it."""
    return [f"{reaches(one, metric)}; lead of the best combination {lead_text(one, metric)}" for one in controls]


def beaten(control: Control) -> bool:
    """Whether the best combination is better beyond the interval of the lead, which counts that it was picked."""
    return control.lead_low is not None and control.lead_low > 0


def reaches(control: Control, metric: Metric) -> str:
    """What it is, and its score."""
    verb = "reach" if control.name.endswith("pixels") else "reaches"
    what = f"{control.name} (random weights, never trained)" if control.name.startswith(RANDOM) else control.name
    score = f"{metric.with_unit(control.value)} {metric.title} {metric.brackets(control.low, control.high)}"
    return f"{what} {verb} {score}"


def lead_text(control: Control, metric: Metric) -> str:
    """The lead with its interval, in points where the metric is in percent."""
    points = " points" if metric.unit == "percent" else ""
    return f"{metric.digits(control.lead)}{points} {metric.brackets(control.lead_low, control.lead_high)}"
