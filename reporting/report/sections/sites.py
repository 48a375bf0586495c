"""Does it hold across sites? Every combination in ordinary folds and without each site; what features know of it."""

from __future__ import annotations

import math

from ....evaluation.combination_names import Names, names_of
from ....evaluation.metrics import BALANCED_ACCURACY, metric_of
from ....evaluation.site_scores import ACROSS, GAP, TABLE, WITHIN
from ....runs.finished import FinishedRun, Row, records
from ....runs.site_answer import AtSite, ExtractorAtSites, Sites
from ...verdicts import drop_words
from ..charts import Scale, whisker
from ..numbers import as_number, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

_BEST = 10


def section(run: FinishedRun) -> Section | None:
    """None where no site was left out."""
    sites = run.answer.sites
    if sites is None:
        return None
    html = fragment(
        "sites",
        sites=sites,
        board=board(run, sites),
        rows=[_at_site(one) for one in sites.sites],
        extractors=[_extractor(one, sites) for one in sites.extractors],
        guessing=score_text(BALANCED_ACCURACY.name, 1 / max(len(sites.sites), 1)),
        robust=any(one.pairs for one in sites.extractors),
    )
    values = [score_text(sites.metric, as_number(value)) for value in (sites.across, sites.within)]
    finding = f"{sites.verdict}: {values[0]} at sites left out of training, {values[1]} in ordinary folds"
    return Section("Across sites", html, nav="Sites", finding=finding)


def board(run: FinishedRun, sites: Sites) -> View:
    """The best combinations, that with the highest score across sites, and shortcuts: places of both scores."""
    rows = {names_of(row): row for row in records(run.table(TABLE))}
    chosen = [rows[names] for names in _shown(run, sites) if names in rows]
    scale = Scale.around(as_number(row[name]) for row in chosen for name in (WITHIN, ACROSS, f"{ACROSS}_low"))
    unit = 100 if metric_of(sites.metric).unit == "percent" else 1
    ticks = [(round(100 * scale.at(value), 2), f"{unit * value:.4g}") for value in scale.ticks(4)]
    return {"rows": [_row(row, sites.metric, scale) for row in chosen], "ticks": ticks}


def _shown(run: FinishedRun, sites: Sites) -> list[Names]:
    best = [names_of(row) for row in run.ranked[:_BEST]]
    if sites.best and sites.best.names not in best:
        best.append(sites.best.names)
    return [*best, *map(names_of, run.shortcuts)]


def _row(row: Row, metric: str, scale: Scale) -> View:
    interval, within = interval_of(row, ACROSS), as_number(row[WITHIN])
    gap, low, high = interval_of(row, GAP)
    places = [100 * scale.at(value) for value in (within, interval[0])]
    line = None if math.isnan(within) else whisker(scale, *interval)
    return {
        "title": title_of(names_of(row)),
        "kind": row["kind"],
        "line": line,
        "within_at": round(places[0], 2) if line else 0,
        "start": round(min(places), 2) if line else 0,
        "length": round(abs(places[0] - places[1]), 2) if line else 0,
        "within": score_text(metric, within),
        "across": texts(metric, interval),
        "gap": "failed" if line is None else drop_words(metric_of(metric), gap, low, high),
    }


def _at_site(one: AtSite) -> View:
    name = BALANCED_ACCURACY.name
    return {
        "one": one,
        "within": score_text(name, one.within),
        "across": score_text(name, one.across),
        "gap": drop_words(BALANCED_ACCURACY, one.gap, one.low, one.high),
    }


def _extractor(one: ExtractorAtSites, sites: Sites) -> View:
    site_accuracy = texts(
        BALANCED_ACCURACY.name,
        (as_number(one.site_accuracy), as_number(one.site_accuracy_low), as_number(one.site_accuracy_high)),
    )
    limits = f"{one.robustness_low:.2f} to {one.robustness_high:.2f}" if one.robustness_low is not None else ""
    return {
        "one": one,
        "best": title_of((one.selector, one.classifier)),
        "within": score_text(sites.metric, one.within),
        "across": score_text(sites.metric, one.across),
        "gap": drop_words(metric_of(sites.metric), one.gap, one.gap_low, one.gap_high),
        "site_accuracy": "unknown"
        if one.site_accuracy is None
        else f"{site_accuracy['value']} [{site_accuracy['interval']}]",
        "robustness": "" if one.robustness is None else f"{one.robustness:.2f} [{limits}]",
    }
