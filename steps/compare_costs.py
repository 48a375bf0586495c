"""Compare costs: networks trained end to end and the best combinations of frozen features."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation.combination_names import NAMES
from ..evaluation.grid import Grid
from ..evaluation.metrics import overall_metrics
from ..evaluation.network_runner import fresh_process
from ..evaluation.records import FIT_S, PREDICT_S, SELECTOR_S
from ..evaluation.runner import BYTES_OF_A_WEIGHT
from ..features.extractor import Extractor
from ..features.speed import ExtractorCost, extractor_cost
from ..images.index import ImageIndex
from ..images.reading import read_file
from ..runs.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
TIMING = "timing extractors"
_HEAD = "dense_head"
_TIMED_IMAGES = 32


def compare_costs(
    extractors: Mapping[str, Extractor],
    grid: Grid,
    leaderboard: pd.DataFrame,
    index: ImageIndex,
    workspace: Workspace,
) -> None:
    """Write ``head_to_head.csv``: scores and costs of networks trained end to end and of frozen features."""
    networks = [one.classifier for one in grid.networks]
    how = {network.label: getattr(network.estimator, "trained", "from scratch") for network in networks}
    train, test = np.array([(len(fold.train), len(fold.test)) for fold in grid.folds]).mean(axis=0)
    costs = extractor_costs(extractors, index, workspace)
    table = head_to_head(leaderboard, costs, how, (float(train), float(test)))
    workspace.folder.write_table("head_to_head.csv", table)


def extractor_costs(
    extractors: Mapping[str, Extractor], index: ImageIndex, workspace: Workspace
) -> dict[str, ExtractorCost]:
    """Time each extractor on a few of the images in a separate process; those that fail are left out."""
    rows = np.linspace(0, len(index) - 1, min(_TIMED_IMAGES, len(index))).astype(int)
    files = [read_file(path) for path in index.images["path"].iloc[rows]]
    costs: dict[str, ExtractorCost] = {}
    with workspace.progress(TIMING, len(extractors)) as advance:
        for label, extractor in extractors.items():
            try:
                with fresh_process() as process:
                    costs[label] = process.submit(extractor_cost, extractor, files, workspace.workers).result()
            except Exception as error:  # a plug-in may raise anything, or die
                _log.warning("The costs of %s could not be timed: %s", label, error)
            advance(1)
    return costs


def head_to_head(
    leaderboard: pd.DataFrame, costs: Mapping[str, ExtractorCost], how: Mapping[str, str], images: tuple[float, float]
) -> pd.DataFrame:
    """Every network, and for each extractor its best combination and its `dense_head`s.

    Parameters
    ----------
    leaderboard : DataFrame
        Best first.
    costs : mapping
        Label of each extractor -> what it costs.
    how : mapping
        Label of each network -> what of it is trained, in words.
    images : (float, float)
        Images that a fold trains on and tests.

    Returns
    -------
    DataFrame
        rank, extractor, selector, classifier, trained (what is trained), each score with its interval, train_s (a
        fold, features of its images included), predict_ms (an image, from decoded pixels), parameters (all weights
        that a prediction needs), model_mb (the network at four bytes a weight, and what was fitted).
    """
    import pandas as pd

    scored = leaderboard[(leaderboard["kind"] == "combination") & leaderboard["rank"].notna()]
    best = set(scored.drop_duplicates("extractor").index)
    rows: list[dict[str, Any]] = []
    for position, row in scored.iterrows():
        label = row["classifier"]
        if label in how and row["extractor"] not in costs:
            rows.append(_row(row, how[label], None, images))
        elif row["extractor"] in costs and (position in best or label.startswith(_HEAD)):
            rows.append(_row(row, "classifier on frozen features", costs[row["extractor"]], images))
    scores = [f"{one.name}{end}" for one in overall_metrics() for end in ("", "_low", "_high")]
    scores = [column for column in scores if column in leaderboard]
    columns = ["rank", *NAMES, "trained", *scores, "train_s", "predict_ms", "parameters", "model_mb"]
    return pd.DataFrame(rows, columns=columns)


def _row(row: pd.Series, trained: str, cost: ExtractorCost | None, images: tuple[float, float]) -> dict[str, Any]:
    train, test = images
    an_image = cost.seconds_an_image if cost else 0.0
    frozen = cost.parameters if cost else 0
    stored = row["model_bytes"] + BYTES_OF_A_WEIGHT * frozen
    return {
        **{str(name): value for name, value in row.items()},
        "trained": trained,
        "train_s": an_image * train + row[SELECTOR_S] + row[FIT_S],
        "predict_ms": 1000 * (an_image + row[PREDICT_S] / test),
        "parameters": int(frozen + row["parameters"]),
        "model_mb": stored / 1e6,
    }
