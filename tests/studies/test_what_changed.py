"""What differs between two experiments, in words."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from leukobench.runs.finished import FinishedRun
from leukobench.studies.what_changed import what_changed


def with_file(**experiment_file: Any) -> FinishedRun:
    run = SimpleNamespace(images=pd.DataFrame({"image_id": ["a", "b"]}), experiment_file=experiment_file)
    return cast("FinishedRun", run)


def test_lists_are_names_joined_by_commas() -> None:
    first = with_file(classifiers=["svm_rbf", {"knn": {"n_neighbors": 3}}], evaluation={"folds": 5}, name="one")
    second = with_file(classifiers=["svm_rbf", "lda"], evaluation={"folds": 5, "rank_by": "mcc"}, name="two")
    assert list(what_changed(first, second)) == [
        "classifiers: svm_rbf, knn(n_neighbors=3) to svm_rbf, lda",
        "evaluation.rank_by: not set to mcc",
    ]
