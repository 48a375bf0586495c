"""``answer.json`` computed again: its numbers, and its sentences written anew from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation.chance import chance_verdict
from ..evaluation.combination_names import Names, names_of, rows_of
from ..evaluation.scores import Scored
from ..evaluation.statistics.drops import WhereWrong, right_where_wrong
from ..evaluation.statistics.suspects import NEARLY_ALL, Pool
from ..reporting.answer import Findings, guessing, make_answer
from ..reporting.label_words import suspects_words
from ..reporting.protocol import protocol
from ..reporting.view_needs import answer_views
from ..runs.answer import Answer, Chance
from ..runs.finished import read_table
from ..runs.label_answer import LabelSuspects
from ..runs.view_answer import Views
from ..steps.find_suspects import good_combinations, suspects_table
from .compared_tables import Check, compare_tables, compare_values
from .prediction_file import PredictionFile
from .stored_results import StoredResults

if TYPE_CHECKING:
    import pandas as pd

_FILE = "answer.json"
WORDS, NUMBERS, SUSPECTS = "answer.json, sentences", "answer.json, numbers", "suspects.csv"
PERMUTED = "permuted.json"
_PARTS = ("best", "best_set", "algorithms", "shortcut", "controls", "chance", "suspects", "groups", "sentences")
_OF_VIEWS = ("shortcuts", "words", "untouched", "margin", "results")
_FILLED_IN = "corrected"
_LINE = "protocol, line of the images"


def check_answer(stored: StoredResults, scored: Scored) -> list[Check]:
    """Compare the numbers and the sentences; and ``suspects.csv``, where it is there."""
    predictions = PredictionFile(stored.folder / "predictions.parquet")
    suspects, table = _suspects(stored, scored, predictions)
    answer = _again(stored, scored, predictions, suspects)
    published, computed = flattened(stored.stored_answer), _parts(answer, stored)
    words = {path: value for path, value in computed.items() if isinstance(value, str)}
    numbers = {path: value for path, value in computed.items() if path not in words}
    if line := _images_line(stored):
        words[_LINE] = line
        published[_LINE] = line if line in stored.answer.protocol else stored.answer.protocol[0]
    checks = [
        compare_values(NUMBERS, _FILE, published, numbers, stored.tolerance),
        compare_values(WORDS, _FILE, published, words, 0.0),
    ]
    checks += _check_permuted(stored)
    own = read_table(stored.folder / SUSPECTS)
    if table is not None and len(own.columns):
        own = own[own["row"].isin(table["row"])]  # those of earlier runs, which a person had filled in, come last
        again = table.drop(columns=[_FILLED_IN]).fillna("")
        checks.append(compare_tables(SUSPECTS, SUSPECTS, own, again, ["row"], stored.tolerance))
    return checks


def _images_line(stored: StoredResults) -> str:
    """How many images of which classes; '' where they are not named, or what was not used is not published."""
    unknown = stored.published and "files not used" in " ".join(stored.answer.protocol)
    if unknown or not stored.names_images:
        return ""
    evaluation = stored.experiment.evaluation
    return protocol(stored.index, evaluation, {}, "none")[int(evaluation.permute)]


def flattened(value: Any, path: str = "") -> dict[str, Any]:
    """Path -> value of everything in a JSON object that is no object, and no list."""
    if isinstance(value, Mapping):
        parts = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{place}]", item) for place, item in enumerate(value)]
        return {f"{path}.length": len(parts)} | {
            key: one for name, item in parts for key, one in flattened(item, name).items()
        }
    else:
        return {path: value}
    return {key: one for name, item in parts for key, one in flattened(item, name).items()}


def _parts(answer: Answer, stored: StoredResults) -> dict[str, Any]:
    """What does follow from the predictions, of a whole answer."""
    values = answer.to_json()
    parts = flattened({name: values[name] for name in _PARTS})
    views: Any = values["views"]
    if views and (stored.folder / "views.csv").is_file():
        parts |= flattened({"views": {name: views[name] for name in _OF_VIEWS}})
    return parts


def _again(
    stored: StoredResults, scored: Scored, predictions: PredictionFile, suspects: LabelSuspects | None
) -> Answer:
    """The answer from the recomputed scores; what needs more than predictions is taken as it is published."""
    answer = stored.answer
    chance, views = _chance(stored, answer.chance), answer.views
    if views and scored.winner and (stored.folder / "views.csv").is_file():
        views = _views(stored, views, scored)
    findings = Findings(
        chance,
        views,
        _where_wrong(stored, scored, predictions),
        suspects if answer.suspects else None,
        answer.failures,
        answer.test,
        answer.sites,
        answer.budget,
    )
    is_given_split = stored.experiment.evaluation.split == "given"
    source = answer.groups if is_given_split else stored.groups
    again = make_answer(scored, stored.experiment, source, answer.duplicates, answer.protocol, findings)
    return replace(again, time=answer.time, name=answer.name)


def _chance(stored: StoredResults, published: Chance | None) -> Chance | None:
    """The verdict on permuted labels, from the scores of every permutation; its words on which these are stay."""
    table = read_table(stored.folder / "permutations.csv")
    if published is None or not len(table.columns):
        return published
    which = published.words.partition("the highest mean of ")[2].partition(", over ")[0]
    return Chance.from_json(chance_verdict(table, len(stored.task.classes), which))


def _check_permuted(stored: StoredResults) -> list[Check]:
    """The verdict on permuted labels that is published beside a run with true ones."""
    path = stored.folder / PERMUTED
    if not path.is_file():
        return []
    published = Chance.from_json(json.loads(path.read_text(encoding="utf-8")))
    again = _chance(stored, published)
    own, computed = (flattened(one.to_json()) for one in (published, again or published))
    return [compare_values(PERMUTED, PERMUTED, own, computed, stored.tolerance)]


def _views(stored: StoredResults, views: Views, scored: Scored) -> Views:
    """What the views say of shortcuts: from the table of views, which is taken as it is, and the recomputed scores."""
    import pandas as pd

    rows = rows_of(read_table(stored.folder / "views.csv"), names_of(scored.winner or {}))
    rows = rows.assign(value=pd.to_numeric(rows["value"])).astype({"images_to_decide": "Int64"})
    return answer_views(views, rows, scored.leaderboard, guessing(scored, views.metric)) if len(rows) else views


def _where_wrong(stored: StoredResults, scored: Scored, predictions: PredictionFile) -> dict[Names, WhereWrong]:
    """How often the best combination is right where each shortcut is wrong, in the first repeat."""
    if not scored.winner or stored.answer.chance is not None:
        return {}
    best = _right(stored, predictions, names_of(scored.winner))
    return {
        names: right_where_wrong(stored.task.groups, best, _right(stored, predictions, names))
        for names in scored.against
    }


def _right(stored: StoredResults, predictions: PredictionFile, names: Names) -> np.ndarray:
    probabilities = predictions.probabilities(names, stored.task.classes, stored.fold_numbers.shape)
    return np.asarray(probabilities[0].argmax(axis=1) == stored.task.labels)


def _suspects(
    stored: StoredResults, scored: Scored, predictions: PredictionFile
) -> tuple[LabelSuspects | None, pd.DataFrame | None]:
    """What the good combinations say of the labels; the words need the names of the files, which a run has."""
    task, published = stored.task, stored.answer.suspects
    names = {tuple(one) for one in good_combinations(scored.leaderboard)}
    if published is None or not names:
        return published, None
    pool = Pool(task.labels, len(task.classes))
    for key, _ in predictions.combinations:
        if key in names:
            pool.add(predictions.probabilities(key, task.classes, stored.fold_numbers.shape))
    suspects = pool.suspects()
    clear = int((suspects.against >= NEARLY_ALL).sum())
    answer = LabelSuspects(len(task), pool.added, len(suspects.rows), clear, published.words)
    if "path" not in stored.images:
        return answer, None
    table = suspects_table(suspects, task.classes, stored.index)
    first = table.to_dict("records")[0] if len(table) else {}
    words = suspects_words(answer, first, str(stored.experiment.images.copies))
    return replace(answer, words=words), table
