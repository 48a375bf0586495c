"""What ``answer.json`` holds of sites is read as it was written."""

from __future__ import annotations

import json
import math

from leukobench.runs.site_answer import AtSite, BestAcross, ExtractorAtSites, Sites

BEST = BestAcross("x", "none", "lda", 0.7, 0.6, 0.8, 0.69, 0.6, 0.8, 4)
SITE = AtSite("S1", 40, 20, ("y",), 120, 3, 0.9, 0.6, 0.3, 0.2, None)
KNOWN = ExtractorAtSites("x", "none", "svm", 0.9, 0.6, 0.3, 0.2, 0.4, 0.99, 0.9, 1.0, 0.4, 0.3, 0.5, 11, 6)
SITES = Sites(
    "site", "balanced_accuracy", 160, 0.9, 0.6, 0.5, 0.7, 0.3, 0.2, 0.4, "lower", BEST, (SITE,), (KNOWN,), ("note",)
)  # fmt: skip


def test_it_is_read_as_it_was_written() -> None:
    assert Sites.from_json(json.loads(json.dumps(SITES.to_json()))) == SITES


def test_undefined_numbers_are_none_and_a_best_need_not_be_there() -> None:
    stored = SITES.to_json() | {"best": None, "gap": math.nan, "unknown key": 1}
    sites = Sites.from_json(stored)
    assert (sites.best, sites.gap) == (None, None)
