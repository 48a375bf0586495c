"""Fit permutations: some combinations on labels that were permuted again and again, none of which may beat guessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from ..config.experiment import Evaluation
from ..evaluation.chance import chance_verdict, permuted_scores
from ..evaluation.combination_names import Names
from ..evaluation.folds import make_folds
from ..evaluation.grid import Grid
from ..evaluation.guards import permute_labels
from ..evaluation.methods import Method
from ..evaluation.records import RecordStore
from ..runs.answer import Chance
from ..runs.workspace import Workspace
from .fit_combinations import fit_combinations

TABLE = "permutations.csv"
_ALL = 24
"""So many combinations are all permuted."""
_CENTRE = "logistic_regression"
"""Quick, and it finds whatever a leaky selector or extractor left to be found."""


def permuted_combinations(
    sources: Sequence[str], selectors: Sequence[Method], classifiers: Sequence[Method]
) -> tuple[frozenset[Names], str]:
    """Combinations to permute, and the same in words: of many, so many that each part takes part.

    Every extractor and selector meets one classifier, and every classifier meets one extractor and selector.
    """
    reducing = [one for one in selectors if one.identity["name"] != "none"]
    every = frozenset(product(sources, (one.label for one in selectors), (one.label for one in classifiers)))
    if len(every) <= _ALL:
        return every, f"all {len(every)} combinations"
    centre = next((one for one in classifiers if one.identity["name"] == _CENTRE), classifiers[0]).label
    first = sources[0], (reducing or selectors)[0].label
    chosen = {names for names in every if names[2] == centre or names[:2] == first}
    words = f"{len(chosen)} combinations (every extractor and selector with {centre}, every classifier on"
    return frozenset(chosen), f"{words} {' x '.join(first)})"


def fit_permutations(grid: Grid, store: RecordStore, evaluation: Evaluation, workspace: Workspace) -> Chance:
    """Permute the labels of a permuted grid anew, as often as the experiment has it; writes ``permutations.csv``.

    Each permutation has its own folds, in one repeat. What was fitted before is not fitted again.
    """
    import pandas as pd

    first = replace(grid, folds=[fold for fold in grid.folds if fold.repeat == 0], baselines=())
    rows = permuted_scores(first, store, 0)
    for number in range(1, evaluation.permutations):
        seed = evaluation.seed + number
        task = permute_labels(first.task, seed)
        folds = make_folds(task, evaluation.folds, 1, seed, evaluation.shuffle)
        again = replace(first, task=task, folds=folds)
        rows += permuted_scores(again, fit_combinations(again, workspace), number)
    table = pd.DataFrame(rows)
    workspace.folder.write_table(TABLE, table)
    sources = [source.label for source in grid.sources]
    words = permuted_combinations(sources, grid.selectors, grid.classifiers)[1] if sources else "all networks"
    return Chance.from_json(chance_verdict(table, len(grid.task.classes), words))
