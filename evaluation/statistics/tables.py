"""From entries to tables: what each column means is said where the numbers are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..combination_names import NAMES, as_columns
from ..metric import Floats, FromAreas, ratio
from ..scorer import of_counts
from .best_set import BestSet
from .comparisons import corrected_t, correlated_posterior, holm
from .entry import Design, Entry
from .operating_points import Points
from .patients import Patients, patient_scores

if TYPE_CHECKING:
    import pandas as pd

REPEATS_FOR_ALGORITHMS = 5
_OF_ALGORITHMS = tuple(
    f"algorithms_{name}" for name in ("difference", "t", "p", "p_holm", "p_worse", "p_equivalent", "p_better")
)


def leaderboard(entries: Sequence[Entry], candidates: Sequence[Entry], compared: BestSet) -> pd.DataFrame:
    """One row an entry, in their order: metrics with intervals and spread over folds, in_best_set, range of the rank.

    in_best_set, rank_low and rank_high speak of `candidates`, in the order of `compared`, and are empty for others.
    """
    import pandas as pd

    rows = [_key(entry) | {"kind": entry.kind} | _numbers(entry) for entry in entries]
    table = pd.DataFrame(rows, columns=[*NAMES, "kind", *_columns(entries)])
    places = {entry.key: place for place, entry in enumerate(candidates)}
    own = [places.get(entry.key) for entry in entries]
    columns = {"in_best_set": compared.member, "rank_low": compared.rank_low, "rank_high": compared.rank_high}
    kinds = {"in_best_set": "boolean", "rank_low": "Int64", "rank_high": "Int64"}
    for name, values in columns.items():
        table[name] = pd.Series([pd.NA if place is None else values[place] for place in own], dtype=kinds[name])
    return table


def comparisons(design: Design, candidates: Sequence[Entry], compared: BestSet) -> pd.DataFrame:
    """Each other combination minus the best, which is the first of `candidates`.

    Of these fitted models: difference, low, high (a 95 % interval that holds for all pairs at once). With at least
    `REPEATS_FOR_ALGORITHMS` repeats also of these algorithms, trained on other images: algorithms_difference (mean over
    folds), algorithms_t, algorithms_p, algorithms_p_holm of the corrected resampled t-test; algorithms_p_worse,
    algorithms_p_equivalent, algorithms_p_better of the Bayesian correlated t-test with its region of practical
    equivalence. Fewer repeats leave so few degrees of freedom that nothing but the largest differences shows.
    """
    import pandas as pd

    name, wide = design.rank_by.name, len(design.folds) >= REPEATS_FOR_ALGORITHMS
    rows = []
    for place, entry in enumerate(candidates[1:], 1):
        gap, margin = entry.metrics[name][0] - candidates[0].metrics[name][0], compared.margin[place, 0]
        row = _key(entry) | {"difference": gap, "low": gap - margin, "high": gap + margin}
        rows.append(row | (_algorithms(design, entry, candidates[0]) if wide else {}))
    columns = [*NAMES, "difference", "low", "high", *(_OF_ALGORITHMS if wide else ())]
    table = pd.DataFrame(rows, columns=columns)
    if wide:
        table["algorithms_p_holm"] = holm(table["algorithms_p"].to_numpy(dtype=np.float64))
    return table


def _algorithms(design: Design, entry: Entry, best: Entry) -> dict[str, float]:
    gaps = entry.folds[design.rank_by.name] - best.folds[design.rank_by.name]
    tested = corrected_t(gaps, design.folds_a_repeat)._asdict()
    posterior = correlated_posterior(gaps, design.folds_a_repeat)._asdict()
    numbers = tested | {"p_holm": np.nan} | {f"p_{name}": value for name, value in posterior.items()}
    return {f"algorithms_{name}": value for name, value in numbers.items()}


def confusion(design: Design, entries: Sequence[Entry]) -> pd.DataFrame:
    """label, predicted, count: summed over folds and repeats."""
    size = len(design.classes)
    return _long(
        entries,
        size**2,
        label=np.tile(np.repeat(np.asarray(design.classes, dtype=object), size), len(entries)),
        predicted=np.tile(np.asarray(design.classes, dtype=object), size * len(entries)),
        count=np.array([entry.confusion for entry in entries]).astype(np.int64).ravel(),
    )


def reliability(entries: Sequence[Entry]) -> pd.DataFrame:
    """Bin (of the top probability, from 0), count, confidence (its mean) and accuracy; without empty bins."""
    cells = np.array([entry.bins for entry in entries]).reshape(-1, 3)
    size = len(cells) // max(len(entries), 1)
    table = _long(
        entries,
        size,
        bin=np.tile(np.arange(size), len(entries)),
        count=cells[:, 0].astype(np.int64),
        confidence=ratio(cells[:, 1], cells[:, 0]),
        accuracy=ratio(cells[:, 2], cells[:, 0]),
    )
    return table[table["count"] > 0].reset_index(drop=True)


def classes(design: Design, entries: Sequence[Entry]) -> pd.DataFrame:
    """Each class against the rest: images, counts summed over repeats, the rates beside them, and operating points."""
    size = len(design.classes)
    counts = np.array([entry.confusion for entry in entries]).reshape(-1, size, size)
    tp = np.diagonal(counts, axis1=1, axis2=2)
    fn, fp = counts.sum(axis=2) - tp, counts.sum(axis=1) - tp
    tn = counts.sum(axis=(1, 2))[:, None] - tp - fn - fp
    cells = {"tp": tp, "fn": fn, "fp": fp, "tn": tn}
    rates = {one.name: of_counts(one, counts) for one in design.scorer.metrics if one.by_class}
    rates |= {"precision": ratio(tp, tp + fp)}
    areas = np.array([entry.curves.areas for entry in entries]).ravel()
    return _long(
        entries,
        size,
        label=np.tile(np.asarray(design.classes, dtype=object), len(entries)),
        images=np.tile(np.bincount(design.labels, minlength=size), len(entries)),
        **{name: count.astype(np.int64).ravel() for name, count in cells.items()},
        **{name: rate.ravel() for name, rate in rates.items()},
        **{one.name: areas for one in design.scorer.metrics if isinstance(one.source, FromAreas)},
        **_points("sensitivity_at_95_specificity", [entry.curves.at_specificity for entry in entries], size),
        **_points("specificity_at_95_sensitivity", [entry.curves.at_sensitivity for entry in entries], size),
    )


def _points(name: str, points: Sequence[Points], classes: int) -> dict[str, Floats]:
    """A column for the value and one for each limit."""
    ends = zip(("", "_low", "_high"), np.array(points).reshape(len(points), 3, classes).swapaxes(0, 1), strict=True)
    return {f"{name}{end}": numbers.ravel() for end, numbers in ends}


def patients(design: Design, patients: Patients, entries: Sequence[Entry]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per combination and patient, and one row per combination with the scores of patients."""
    import pandas as pd

    names = np.asarray(design.classes, dtype=object)
    tables, scores = [], []
    for entry in entries:
        if entry.patients is None:
            continue
        own = entry.patients
        columns = _key(entry) | {
            "patient": patients.names,
            "label": names[patients.labels],
            "images": patients.images,
            "accuracy": own.accuracy,
            **{f"predicted_{rule}": names[predicted] for rule, predicted in own.predicted.items()},
            **{f"fraction[{name}]": own.fractions[:, column] for column, name in enumerate(design.classes)},
        }
        tables.append(pd.DataFrame(columns))
        scores.append(_key(entry) | patient_scores(patients, own, design.classes))
    return pd.concat(tables, ignore_index=True), pd.DataFrame(scores)


def _key(entry: Entry) -> dict[str, Any]:
    return as_columns(entry.key)


def _columns(entries: Sequence[Entry]) -> list[str]:
    ends = ("", "_low", "_high", "_sd")
    return [f"{name}{end}" for name in (entries[0].metrics if entries else ()) for end in ends]


def _numbers(entry: Entry) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, (value, low, high) in entry.metrics.items():
        defined = entry.folds[name][~np.isnan(entry.folds[name])]
        spread = float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")
        numbers |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_sd": spread}
    return numbers


def _long(entries: Sequence[Entry], rows: int, **columns: Any) -> pd.DataFrame:
    """`rows` rows an entry."""
    import pandas as pd

    keys = {name: np.repeat([entry.key[i] for entry in entries], rows) for i, name in enumerate(NAMES)}
    return pd.DataFrame(keys | columns)
