"""What is published of a run, in the least space and without anything of the machine.

In the folder of a set, such as ``results/reference/all``: the answer, the leaderboard and the other tables of the run
as they are; ``images.parquet`` (row, label, group, and the fold of each repeat as ``fold_0`` ...);
``predictions.parquet`` (extractor, selector, classifier, kind, repeat, row, and a probability for each class as
``p_<class>``, float32).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leukobench.studies.leakage import Leakage

NAMES = ["extractor", "selector", "classifier"]
_TABLES = (
    *("leaderboard.csv", "comparisons.csv", "classes.csv", "tuned.csv", "head_to_head.csv", "learning_curves.csv"),
    *("views.csv", "failures.csv"),
)


def publish(folder: Path, target: Path) -> None:
    """Write what the sentences of a finished run need, and nothing of this machine."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        if (folder / name).exists():
            shutil.copy(folder / name, target / name)
    answer = json.loads((folder / "answer.json").read_text())
    (target / "answer.json").write_text(json.dumps(answer, indent=2) + "\n")
    compact(folder, target)


def compact(folder: Path, target: Path) -> None:
    """``images.parquet`` (label, group, fold of each repeat) and ``predictions.parquet``, whose rows refer to it."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    folds = pd.read_parquet(folder / "folds.parquet")
    images = folds.pivot(index="row", columns="repeat", values="fold").add_prefix("fold_").reset_index()
    first = folds[folds["repeat"] == 0].set_index("row")
    images = images.assign(label=images["row"].map(first["label"]), group=images["row"].map(first["group"]))
    images.columns.name = None
    images.to_parquet(target / "images.parquet", compression="zstd", index=False)
    table = pd.read_parquet(folder / "predictions.parquet")
    columns = [name for name in table if str(name).startswith("p_")]
    table = table.sort_values([*NAMES, "repeat", "row"])
    kept = table[[*NAMES, "kind", "repeat", "row"]].assign(**{name: table[name].astype("float32") for name in columns})
    kept = kept.astype({"repeat": "int8", "row": "int32"} | dict.fromkeys([*NAMES, "kind"], "category"))
    pq.write_table(
        pa.Table.from_pandas(kept, preserve_index=False),
        target / "predictions.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=[*NAMES, "kind", "repeat", "row"],
        use_byte_stream_split=columns,
    )


def publish_permuted(folder: Path, target: Path) -> None:
    """Every combination in every permutation, and the verdict."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "permutations.csv", target / "permutations.csv")
    chance = json.loads((folder / "answer.json").read_text())["chance"]
    (target / "permuted.json").write_text(json.dumps(chance, indent=2) + "\n")


def publish_leakage(outcome: Leakage, target: Path) -> None:
    """What each leak adds, as a table and in words."""
    from leukobench.reporting.leakage_figure import leakage_lines

    target.mkdir(parents=True, exist_ok=True)
    outcome.summary.to_csv(target / "leakage.csv", index=False)
    (target / "leakage.txt").write_text("\n".join([*outcome.lines, "", *leakage_lines(outcome.summary)]) + "\n")
