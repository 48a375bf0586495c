"""Sites in words: a gap whose interval excludes 0 comes first and loudly; others say what is excluded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leukobench.reporting.site_words import site_lines, site_words, verdict_of_sites

from ..runs.test_site_answer import BEST, KNOWN, SITES

NAMES = ("x", "none", "svm")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.2, "lower"), (-0.1, 0.1, "no gap shown"), (-0.2, -0.1, "higher"), (None, None, "unknown")],
)
def test_the_verdict_goes_by_the_interval(low: float | None, high: float | None, verdict: str) -> None:
    assert verdict_of_sites(low, high) == verdict


def test_a_gap_is_said_with_its_numbers() -> None:
    assert site_words(SITES, NAMES, "patients") == (
        "LOWER ACROSS SITES: balanced accuracy 60.00 % [50.00 to 70.00] trained without each of the 1 sites in turn, "
        "90.00 % in ordinary folds; gap 30.00 points [20.00 to 40.00] for new patients of these sites; lowest at S1. "
        "The features of x tell the site: 99.00 % [90.00 to 100.00] balanced accuracy, where guessing reaches "
        "100.00 %. Highest across sites: x x none x lda, 70.00 % [60.00 to 80.00]; corrected for selecting the best of "
        "4: 69.00 % [60.00 to 80.00]."
    ).replace("tell the site", "do not tell the site")


def test_no_gap_says_what_is_excluded_and_nothing_of_the_best_where_it_is_the_same() -> None:
    sites = replace(SITES, verdict="no gap shown", gap_low=-0.05, extractors=(), best=replace(BEST, classifier="svm"))
    words = site_words(sites, NAMES, "images")
    assert words.startswith("No gap across sites is shown: ")
    assert words.endswith(
        "gap 30.00 points [-5.00 to 40.00] for new images of these sites: a gap above 40.00 points is excluded."
    )


def test_features_that_tell_the_site_are_named() -> None:
    four = replace(SITES, sites=SITES.sites * 4, extractors=(replace(KNOWN, site_accuracy=0.5),))
    assert "The features of x tell the site: 50.00 % [90.00 to 100.00]" in site_words(four, NAMES, "patients")


def test_the_card_has_a_line_for_each_site_and_note() -> None:
    assert site_lines(SITES) == ["S1: 60.00 % trained without it, 90.00 % in ordinary folds (40 images; no y)", "note"]
