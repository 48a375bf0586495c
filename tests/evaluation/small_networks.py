"""Networks that train in a second, and their part of a run's predictions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leukobench.pipeline import Outcome

TINY: dict[str, Any] = {"size": 16, "filters": [4, 8], "hidden": 8, "epochs": 4, "batch_size": 8}


def only(plugin: str, **said: Any) -> dict[str, Any]:
    """Settings of a run with one cheap combination and plug-in networks."""
    choice = {f"{plugin}:PixelMeans": said} if said else f"{plugin}:PixelMeans"
    return {"selectors": ["none"], "classifiers": ["naive_bayes"], "cnns": [choice]}


def of_networks(outcome: Outcome) -> pd.DataFrame:
    table = pd.read_parquet(outcome.folder / "predictions.parquet")
    return table[table["extractor"] == "pixels"].reset_index(drop=True)
