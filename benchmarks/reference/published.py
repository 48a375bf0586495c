"""What is published of a run: everything that its numbers need, in little space and without anything of the machine.

The folder of a set, such as ``results/reference/all``, holds

- the answer, the leaderboard and the other tables of the run as they are (`_TABLES`);
- ``images.parquet``, a row an image: row, image_id (SHA-256 of the file), path (below the folder of the set), label,
  patient, copies, group, and the fold of each repeat as ``fold_0`` ...;
- ``predictions.parquet``: extractor, selector, classifier, kind, repeat, row (of ``images.parquet``) and a probability
  for each class as ``p_<class>``, float64, out of fold, sorted by combination (in the order of the experiment, which
  decides between equals), repeat and row;
- ``experiment.yaml``: the resolved experiment, with versions and digests, whose folder is that below the sets;
- ``digests.json``: file -> SHA-256, of every other file but README.md.

A probability is rounded to significant bits of itself or of what it lacks to 1, whichever is smaller, so that ranks at
both ends stay what they were: each combination to the fewest of `BITS` that change no number computed from it by
`TOLERANCE`, or not at all.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from leukobench.evaluation.statistics.entry import Entry
    from leukobench.studies.leakage import Leakage

    Floats = NDArray[np.float64]

NAMES = ["extractor", "selector", "classifier"]
TOLERANCE = 1e-6
BITS = (14, 17, 20)
DIGESTS = "digests.json"
_TABLES = (
    *("leaderboard.csv", "comparisons.csv", "classes.csv", "tuned.csv", "head_to_head.csv", "learning_curves.csv"),
    *("views.csv", "failures.csv", "stability.csv", "patient_scores.csv"),
)


def publish(folder: Path, target: Path, shown: str) -> None:
    """Write what the sentences and the numbers of a finished run need.

    Parameters
    ----------
    folder, target : Path
        Of the run, and of what is published of it.
    shown : str
        What ``experiment.yaml`` calls the folder of the images.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        (target / name).unlink(missing_ok=True)
        if (folder / name).exists():
            shutil.copy(folder / name, target / name)
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    (target / "answer.json").write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    images = _write_experiment(folder, target, shown)
    _write_images(folder, target, images)
    _write_predictions(folder, target)
    write_digests(target)


def _write_experiment(folder: Path, target: Path, shown: str) -> Path:
    """The experiment without paths of this machine; returns the folder of the images here."""
    import yaml

    experiment = yaml.safe_load((folder / "experiment.yaml").read_text(encoding="utf-8"))
    images = Path(experiment["images"]["folder"])
    experiment["images"]["folder"] = shown
    for key in ("results", "checkpoint"):
        experiment.pop(key, None)
    text = yaml.safe_dump(experiment, sort_keys=False, allow_unicode=True)
    (target / "experiment.yaml").write_text(text, encoding="utf-8")
    return images


def _write_images(folder: Path, target: Path, images: Path) -> None:
    import pandas as pd

    listed = pd.read_parquet(folder / "images.parquet").drop(columns="group")
    folds = pd.read_parquet(folder / "folds.parquet")
    wide = folds.pivot(index="row", columns="repeat", values="fold").add_prefix("fold_").astype("int8")
    groups = folds[folds["repeat"] == 0].set_index("row")["group"].astype("int32")
    table = listed.set_index("row").join(groups).join(wide).reset_index()
    table["path"] = [PurePath(path).relative_to(images).as_posix() for path in table["path"]]
    table.to_parquet(target / "images.parquet", compression="zstd", index=False)


def _write_predictions(folder: Path, target: Path) -> None:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pd.read_parquet(folder / "predictions.parquet")
    table = table.assign(order=table.groupby(NAMES, sort=False).ngroup())
    table = table.sort_values(["order", "repeat", "row"], ignore_index=True)
    columns = [name for name in table if str(name).startswith("p_")]
    kept = table[[*NAMES, "kind", "repeat", "row"]].astype(
        {"repeat": "int8", "row": "int32"} | dict.fromkeys([*NAMES, "kind"], "category")
    )
    kept[columns] = _rounded_where_nothing_changes(folder, table, columns)
    pq.write_table(
        pa.Table.from_pandas(kept, preserve_index=False),
        target / "predictions.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=[*NAMES, "kind", "repeat", "row"],
        use_byte_stream_split=columns,
    )


def _rounded_where_nothing_changes(folder: Path, table: pd.DataFrame, columns: list[str]) -> Floats:
    """The probabilities of all combinations, each with as few bits as change no number of the run."""
    from leukobench.studies.recomputation import analysis_of
    from leukobench.studies.stored_results import StoredResults

    stored = StoredResults.open(folder)
    measuring, shape = analysis_of(stored).measuring, (*stored.fold_numbers.shape, len(columns))
    kept = table[columns].to_numpy(dtype=np.float64, copy=True)
    for rows in table.groupby("order", sort=False).indices.values():
        if len(rows) < stored.fold_numbers.size:  # a fold failed
            continue
        exact = measuring.entry(("", "", ""), "", kept[rows].reshape(shape))
        for bits in BITS:
            fewer = rounded(kept[rows], bits)
            if _alike(exact, measuring.entry(("", "", ""), "", fewer.reshape(shape))):
                kept[rows] = fewer
                break
    return kept


def _alike(one: Entry, other: Entry) -> bool:
    return bool(np.allclose(_numbers(one), _numbers(other), rtol=0, atol=TOLERANCE / 2, equal_nan=True))


def _numbers(entry: Entry) -> Floats:
    """Everything that tables hold of a combination, in one row."""
    curves, ranking = entry.curves, entry.ranking
    parts = [list(entry.metrics.values()), *entry.folds.values(), curves.areas, entry.confusion, entry.bins[:, 0]]
    parts += [*curves.at_specificity, *curves.at_sensitivity, ranking.inside, ranking.outside]
    parts += [entry.patients.fractions, *entry.patients.predicted.values()] if entry.patients else []
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in parts])


def rounded(probabilities: Floats, bits: int) -> Floats:
    """Probabilities with significant bits of themselves or of what they lack to 1, whichever is smaller."""
    least = np.minimum(probabilities, 1 - probabilities)
    inside = least > np.finfo(np.float64).tiny * 2**bits
    unit = np.exp2(np.floor(np.log2(np.where(inside, least, 0.5))) - bits)
    return np.where(inside, np.round(probabilities / unit) * unit, probabilities)


def publish_permuted(folder: Path, target: Path) -> None:
    """Every combination in every permutation, and the verdict."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "permutations.csv", target / "permutations.csv")
    chance: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))["chance"]
    (target / "permuted.json").write_text(json.dumps(chance, indent=2) + "\n", encoding="utf-8")
    write_digests(target)


def publish_leakage(outcome: Leakage, target: Path) -> None:
    """What each leak adds, as a table and in words."""
    from leukobench.reporting.leakage_figure import leakage_lines

    target.mkdir(parents=True, exist_ok=True)
    outcome.summary.to_csv(target / "leakage.csv", index=False)
    lines = [*outcome.lines, "", *leakage_lines(outcome.summary)]
    (target / "leakage.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_digests(target)


def write_digests(target: Path) -> None:
    """SHA-256 of every published file of a folder but README.md, which is written later."""
    from leukobench.storage import file_digest

    names = sorted(path.name for path in target.iterdir() if path.name not in (DIGESTS, "README.md"))
    digests = {name: file_digest(target / name) for name in names}
    (target / DIGESTS).write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
