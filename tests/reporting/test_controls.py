"""Controls in words: a sentence where there is something to say, which says what the numbers carry."""

from typing import Any

import pandas as pd
import pytest

from leukobench.evaluation.metrics import metric_of
from leukobench.evaluation.scores import Scored
from leukobench.reporting.controls import control_lines, controls_of, controls_sentence, controls_verdict
from leukobench.runs.control_answer import Control

ACCURACY = metric_of("balanced_accuracy")


def control(**facts: Any) -> Control:
    usual = {"name": "RANDOM net", "value": 0.9, "low": 0.88, "high": 0.92, "lead": 0.05, "lead_low": 0.03}
    usual |= {"lead_high": 0.07, "share": 0.89, "share_low": 0.84, "share_high": 0.94}
    return Control.from_json(usual | facts)


def test_shares_and_leads_come_from_the_paired_difference() -> None:
    rows = [("net", "none", "lda", "combination", 0.9), ("control: RANDOM net", "none", "lda", "control", 0.7)]
    rows += [
        ("control: 16 x 16 pixels", "pca", "svm", "control", 0.8),
        ("shortcut: border", "none", "lda", "shortcut", 0.85),
    ]
    table = pd.DataFrame(rows, columns=["extractor", "selector", "classifier", "kind", "balanced_accuracy"])
    table["balanced_accuracy_low"], table["balanced_accuracy_high"] = table["balanced_accuracy"] - 0.1, float("nan")
    against = {rows[1][:3]: (0.2, 0.1, 0.3), rows[2][:3]: (0.1, -0.1, 0.2)}
    scored = Scored(table, table, table, {}, {"value": 0.9}, against)
    pixels, random = controls_of(scored, ACCURACY, 0.5)
    assert (pixels.name, random.name) == ("16 x 16 pixels", "RANDOM net")
    assert (random.lead, random.lead_low, random.lead_high, random.high) == (0.2, 0.1, 0.3, None)
    assert (random.share, random.share_low, random.share_high) == pytest.approx((0.5, 0.25, 0.75))
    assert controls_of(Scored(table, table, table, {}, None, {}), ACCURACY, 0.5) == ()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([{}], ["random weights, never trained", "90.00 %", "89 % [84 to 94]", "leads by 5.00 points [3.00 to 7.00]"]),
        ([{"name": "16 x 16 pixels"}], ["16 x 16 pixels reach 90.00 %", "needs no more than these pixels"]),
        ([{}, {"name": "16 x 16 pixels", "lead_low": -0.01}], ["NOT BETTER THAN A CONTROL: 16 x 16 pixels reach"]),
        ([{"lead_low": None, "lead_high": None}], ["NOT BETTER", "not stated: too few groups"]),
    ],
)
def test_the_sentence_is_about_the_control_that_matters(facts: list[dict[str, Any]], words: list[str]) -> None:
    sentence = controls_sentence([control(**one) for one in facts], ACCURACY)
    assert all(word in sentence for word in words), sentence


def test_a_control_that_reaches_little_is_no_sentence() -> None:
    weak = control(value=0.6, share=0.3, share_low=0.2, share_high=0.4)
    assert controls_sentence([weak], ACCURACY) == controls_sentence([], ACCURACY) == ""
    assert control_lines([weak], metric_of("mcc"))[0].endswith("lead of the best combination 0.050 [0.030 to 0.070]")


@pytest.mark.parametrize(
    ("facts", "title", "state"),
    [
        ([{}], "Better than the controls tried", "note"),
        ([{"share": 0.3, "share_low": 0.2, "share_high": 0.4}], "Better than the controls tried", "good"),
        ([{"share": 0.3, "share_low": None, "share_high": None}], "Better than the controls tried", "note"),
        ([{"lead_low": -0.01}], "Not better than a random network", "warn"),
        ([{"lead_low": None}], "Not better than a random network", "warn"),
        ([{}, {"name": "16 x 16 pixels", "lead_low": 0.0}], "Not better than 16 x 16 pixels", "warn"),
    ],
)
def test_the_verdict_says_better_only_where_every_lead_is(facts: list[dict[str, Any]], title: str, state: str) -> None:
    controls = [control(**one) for one in facts]
    verdict = controls_verdict(controls)
    assert verdict is not None
    assert (verdict.title, verdict.state) == (title, state)
    assert (verdict.name == "not better") == ("NOT BETTER" in controls_sentence(controls, ACCURACY))
    assert controls_verdict([]) is None
