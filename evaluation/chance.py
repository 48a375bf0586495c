"""Chance: on permuted labels nothing can be learnt, so no combination scores above guessing, but by leaks."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .combination_names import NAMES, title
from .grid import Grid
from .metrics import BALANCED_ACCURACY
from .records import RecordStore
from .scorer import Scorer

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

LEVEL = 0.05
_FLIPS, _ALL_FLIPS = 1999, 10
_METRIC = BALANCED_ACCURACY
"""Guessing reaches the same in it whatever the images."""


def permuted_scores(grid: Grid, store: RecordStore, permutation: int) -> list[dict[str, Any]]:
    """Balanced accuracy of each combination of one permutation's grid, over its out-of-fold predictions.

    Returns
    -------
    list of dict
        permutation, extractor, selector, classifier, balanced_accuracy: NaN where a fit failed.
    """
    scorer, rows = Scorer(grid.task.classes, [_METRIC]), []
    for combination in grid.combinations():
        answers = np.full((len(grid.task), len(grid.task.classes)), np.nan)
        for fold in grid.folds:
            record = store.read(grid.key(combination, fold))
            if record is not None and record.probabilities is not None:
                answers[fold.test] = record.probabilities
        failed = np.isnan(answers).any()
        value = np.nan if failed else scorer.score(grid.task.labels, answers)[_METRIC.name]
        place = dict(zip(NAMES, combination.labels, strict=True))
        rows.append({"permutation": permutation} | place | {_METRIC.name: value})
    return rows


def chance_verdict(scores: pd.DataFrame, classes: int, combinations: str) -> dict[str, Any]:
    """Whether the highest of the combinations, each a mean over permutations, is above guessing.

    One-sided: what is below guessing does not leak. Under permuted labels a score is as often above guessing as below,
    by as much, so the signs of all combinations' excesses are flipped together, permutation by permutation; the p value
    is that of the highest mean of all combinations, which allows for their number.

    Parameters
    ----------
    scores : DataFrame
        See `permuted_scores`.
    classes : int
        Guessing reaches ``1 / classes``.
    combinations : str
        Which were permuted, in words.

    Returns
    -------
    dict
        ``at_chance`` (bool: p above 0.05), ``expected``, ``permutations``, ``combinations`` (that have scores),
        ``highest`` (mean of the highest), ``name`` (its names), ``p``, ``smallest_leak`` (mean
        excess of one combination that would have been called one), and ``words``.

    References
    ----------
    Ojala, Garriga: Permutation tests for studying classifier performance. JMLR 11 (2010) 1833-1863; Nichols, Holmes:
    Nonparametric permutation tests for functional neuroimaging. Human Brain Mapping 15 (2002) 1-25 (flipped signs, and
    the maximum over many).
    """
    wide = scores.pivot(index="permutation", columns=list(NAMES), values=_METRIC.name).dropna(axis=1)
    expected = float(_METRIC.guessing(classes) or 0.0)
    facts: dict[str, Any] = {"at_chance": False, "expected": expected, "permutations": int(wide.shape[0])}
    facts |= {"combinations": int(wide.shape[1]), "highest": None, "name": "", "p": None, "smallest_leak": None}
    if wide.shape[1]:
        excess = wide.to_numpy() - expected
        means, flips = excess.mean(axis=0), _flips(len(excess))
        place = int(means.argmax())
        p = float((_highest(flips, excess) >= means[place] - 1e-12).mean())
        facts |= {
            "at_chance": p > LEVEL,
            "highest": expected + float(means[place]),
            "name": title([str(name) for name in wide.columns[place]]),
            "p": p,
            "smallest_leak": _smallest_leak(flips, excess - means),
        }
    return facts | {"words": _words(facts, combinations)}


def _flips(count: int) -> Floats:
    """Signs, shape (r, count), the first all 1: every choice of signs, or as many as are needed."""
    if count <= _ALL_FLIPS:
        return np.array(list(product((1.0, -1.0), repeat=count)))
    drawn = np.random.default_rng(0).choice((1.0, -1.0), (_FLIPS, count))
    return np.vstack([np.ones(count), drawn])


def _highest(flips: Floats, excess: Floats) -> Floats:
    """Highest mean excess of all combinations under each choice of signs."""
    return np.asarray((flips @ excess).max(axis=1) / len(excess))


def _smallest_leak(flips: Floats, spread: Floats) -> float:
    """Mean excess from which p is below `LEVEL`: of the combination that varies most, all means being 0 before."""
    own = spread[:, spread.std(axis=0).argmax()]
    others, noise, signs = _highest(flips, spread), flips @ own / len(own), flips.mean(axis=1)
    low, high = 0.0, 1.0
    for _ in range(30):
        leak = (low + high) / 2
        p = (np.maximum(others, noise + leak * signs) >= leak - 1e-12).mean()
        low, high = (leak, high) if p > LEVEL else (low, leak)
    return high


def _words(facts: dict[str, Any], combinations: str) -> str:
    if facts["p"] is None:
        return "PERMUTED LABELS: nothing was scored."
    highest = (
        f"the highest mean of {combinations}, over {facts['permutations']} permutations, is "
        f"{_METRIC.with_unit(facts['highest'])} {_METRIC.title}, of {facts['name']}; guessing reaches "
        f"{_METRIC.with_unit(facts['expected'])} (p = {_rounded(facts['p'])}, one-sided, of the highest of them)"
    )
    seen = f"a leak that adds {100 * facts['smallest_leak']:.1f} points or more to one of them"
    if facts["at_chance"]:
        return f"PERMUTED LABELS, at chance: {highest}. The smallest leak that this could have seen: {seen}."
    return f"PERMUTED LABELS, ABOVE CHANCE: {highest}: something leaks from the test images into the fits."


def _rounded(p: float) -> str:
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"
