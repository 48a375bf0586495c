"""Run the reference experiments, and write results/reference and the figures of README: ``make reference IMAGES=...``.

What is published of a run: its answer, leaderboard and comparisons, and every prediction in the least space (float32),
so that anybody can compute every number again. ``ONLY=documents`` writes the figures of README from what is there;
``tests/test_reference.py`` fails where they differ.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leukobench.config.experiment import Experiment

ROOT = Path(__file__).resolve().parents[1]
REFERENCE, PICTURES = ROOT / "results" / "reference", ROOT / "docs" / "pictures"
KINDS = ("all", "permuted", "leakage", "networks", "documents")
NAMES = ["extractor", "selector", "classifier"]
_TABLES = (
    *("leaderboard.csv", "comparisons.csv", "classes.csv", "tuned.csv", "head_to_head.csv", "learning_curves.csv"),
    *("views.csv", "failures.csv"),
)
QUICK: dict[str, Any] = {
    "extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}],
    "selectors": ["none", "anova", "pca"],
    "classifiers": ["lda", "naive_bayes", "knn"],
}
"""Combinations whose labels are permuted: those of the default grid would take an hour."""
_SPEED = ("leukobench, images/s", "Keras float32, images/s", "ratio", "share")
_BLOCK = re.compile(r"<!-- reference: (\w+) -->\n.*?<!-- end of reference -->", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, nargs="?", help="one folder per class; published are the ALL images")
    parser.add_argument("--only", choices=KINDS, nargs="*", default=[kind for kind in KINDS if kind != "networks"])
    parser.add_argument("--layout", default="auto")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the runs, which resume")
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="folder of what is published")
    arguments = parser.parse_args()
    if arguments.images is None and set(arguments.only) != {"documents"}:
        parser.error("name the folder of the images")
    steps: dict[str, Callable[..., None]] = {"all": run, "permuted": permute, "leakage": leak, "networks": train}
    for kind in arguments.only:
        if kind == "documents":
            write_documents(arguments.reference)
        else:
            steps[kind](arguments)


def experiment_of(arguments: argparse.Namespace, **settings: Any) -> Experiment:
    from leukobench.config.experiment_file import for_folder

    images = {"layout": arguments.layout} if arguments.layout != "auto" else {}
    common = {"name": "all", "results": arguments.results, "images": images}
    return for_folder(arguments.images, **(common | settings))


def run(arguments: argparse.Namespace) -> None:
    from leukobench.pipeline import run as run_experiment
    from leukobench.runs.progress import on_screen

    folder = run_experiment(experiment_of(arguments), progress=on_screen()).folder
    publish(folder, arguments.reference / "all")
    if arguments.reference == REFERENCE:
        for name in ("leaderboard", "combinations"):
            shutil.copy(folder / "figures" / f"{name}.png", PICTURES / f"all-{name}.png")
        photograph(folder / "report.html", PICTURES / "all-report.png")


def permute(arguments: argparse.Namespace) -> None:
    from leukobench.pipeline import run as run_experiment
    from leukobench.runs.progress import on_screen

    experiment = experiment_of(arguments, name="quick", **QUICK).with_permuted_labels()
    folder = run_experiment(experiment, progress=on_screen()).folder
    target = arguments.reference / "all"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "permutations.csv", target / "permutations.csv")
    chance = json.loads((folder / "answer.json").read_text())["chance"]
    (target / "permuted.json").write_text(json.dumps(chance, indent=2) + "\n")


def leak(arguments: argparse.Namespace) -> None:
    from leukobench.reporting.leakage_figure import leakage_lines
    from leukobench.runs.progress import on_screen
    from leukobench.studies.leakage import CHOSEN, measure_leakage

    outcome = measure_leakage(experiment_of(arguments, **CHOSEN), progress=on_screen())
    target = arguments.reference / "all"
    target.mkdir(parents=True, exist_ok=True)
    outcome.summary.to_csv(target / "leakage.csv", index=False)
    (target / "leakage.txt").write_text("\n".join([*outcome.lines, "", *leakage_lines(outcome.summary)]) + "\n")
    if arguments.reference == REFERENCE:
        shutil.copy(outcome.folder / "leakage.png", PICTURES / "all-leakage.png")


def train(arguments: argparse.Namespace) -> None:
    """An hour on two cores."""
    from leukobench.pipeline import run as run_experiment
    from leukobench.runs.progress import on_screen

    experiment = experiment_of(arguments, preset="cnns", name="all-networks")
    publish(run_experiment(experiment, progress=on_screen()).folder, arguments.reference / "all-networks")


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


def photograph(page: Path, target: Path) -> None:
    """The top of a report, where Chromium is installed."""
    if browser := shutil.which("chromium"):
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,1500"]
        command = [browser, *options, f"--screenshot={target}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def write_documents(reference: Path = REFERENCE, root: Path = ROOT) -> None:
    """Write every block between markers anew."""
    for path in documents(root):
        path.write_text(with_figures(path.read_text(encoding="utf-8"), reference), encoding="utf-8")


def documents(root: Path = ROOT) -> list[Path]:
    """Documents with figures between markers."""
    return [root / "README.md", *sorted((root / "results" / "reference").glob("*/README.md"))]


def with_figures(text: str, reference: Path = REFERENCE) -> str:
    """The text with every block anew: what stands between ``reference: NAME`` and ``end of reference``."""

    def block(found: re.Match[str]) -> str:
        try:
            lines = "\n".join(BLOCKS[found[1]](reference))
        except FileNotFoundError:  # what was never run stays as it is
            return found[0]
        return f"<!-- reference: {found[1]} -->\n{lines}\n<!-- end of reference -->"

    return _BLOCK.sub(block, text)


def sentences(reference: Path) -> Iterator[str]:
    """What the default run says first."""
    answer = json.loads((reference / "all" / "answer.json").read_text())
    for sentence in (*answer["sentences"], answer["duplicates"]["words"]):
        yield f"> {sentence}"
        yield ">"
    yield f"> {permuted_words(reference)}"


def permuted_words(reference: Path) -> str:
    return str(json.loads((reference / "all" / "permuted.json").read_text())["words"])


def views(reference: Path) -> Iterator[str]:
    """How much lower the best combination is in each view of the images."""
    from leukobench.evaluation.metrics import metric_of
    from leukobench.reporting.verdicts import drop_words
    from leukobench.runs.view_answer import Views

    stored = Views.from_json(json.loads((reference / "all" / "answer.json").read_text())["views"])
    metric = metric_of(stored.metric)
    yield f"| {stored.images:,} images in a view | taken away | fitted anew | drop [95 % interval] | needed? |"
    yield "|---|---|---|---|---|"
    yield f"| untouched | nothing | {metric.with_unit(stored.untouched)} | | |"
    for one in stored.results:
        drop = drop_words(metric, one.drop, one.low, one.high)
        yield f"| {one.view} | {one.removes} | {metric.with_unit(one.value)} | {drop} | {one.verdict} |"


def protocol(reference: Path) -> Iterator[str]:
    """The protocol of the default run."""
    answer = json.loads((reference / "all" / "answer.json").read_text())
    yield from (f"- {line}" for line in (*answer["protocol"], *answer["sentences"], answer["duplicates"]["words"]))


def permuted(reference: Path) -> Iterator[str]:
    yield permuted_words(reference)


def leakage(reference: Path) -> Iterator[str]:
    """Mean inflation of each leak with 200 images, true labels and permuted ones."""
    import pandas as pd

    table = pd.read_csv(reference / "all" / "leakage.csv")
    size = next(value for value in table["size"] if value != "all")
    table = table[table["size"] == size]
    yield f"| points that a leak adds, {size} images | true labels [95 % interval] | permuted labels [95 % interval] |"
    yield "|---|---|---|"
    for protocol, rows in table.groupby("protocol", sort=False):
        sides = {row["labels"]: row for row in rows.to_dict("records")}
        cells = [_points(sides.get(labels)) for labels in ("as they are", "permuted")]
        yield f"| {protocol} | {' | '.join(cells)} |"


def _points(row: dict[Any, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['inflation']:+.1f} [{row['low']:+.1f} to {row['high']:+.1f}]"


def networks(reference: Path) -> Iterator[str]:
    """Trained networks beside frozen features, and colour alone."""
    import pandas as pd

    from leukobench.evaluation.metrics import ACCURACY, ECE

    table = pd.read_csv(reference / "all-networks" / "head_to_head.csv")
    titles = (ACCURACY.title, ECE.title)
    head = [f"{titles[0]} [95 % interval]", titles[1], "training per fold", "prediction per image", "weights"]
    yield f"| | {' | '.join(head)} |"
    yield f"|---{'|---' * len(head)}|"
    for row in table.to_dict("records"):
        cost = [f"{row['train_s']:.2g} s" if row["train_s"] < 10 else f"{row['train_s']:.0f} s"]
        cost += [f"{row['predict_ms']:.1f} ms", f"{row['parameters'] / 1e6:.1f} M"]
        name = " x ".join(str(row[part]) for part in NAMES)
        scores = [ACCURACY.of_row(row), ECE.with_unit(row[ECE.name])]
        yield f"| {name} ({row['trained']}) | {' | '.join([*scores, *cost])} |"
    board = pd.read_csv(reference / "all-networks" / "leaderboard.csv")
    for row in board[board["extractor"] == "shortcut: colour"].to_dict("records"):
        yield f"| colour alone | {ACCURACY.of_row(row)} | | {row['fit_s']:.1f} s | | |"


def extraction(reference: Path) -> Iterator[str]:
    """Speed of extraction beside Keras."""
    import pandas as pd

    table = pd.read_csv(reference / "benchmarks" / "extraction.csv")
    head = ["float32 / bfloat16", "Keras `predict`", "ratio [lowest to highest of three turns]"]
    head += ["share of the machine's matrix rate"]
    yield f"| images per second, from files to vectors | {' | '.join(head)} |"
    yield f"|---{'|---' * len(head)}|"
    for network, rows in table[table["precision"].isin(["float32", "bfloat16"])].groupby("network", sort=False):
        ours, keras, ratio, share = (rows[name].tolist() for name in _SPEED)
        turns = zip(ratio, rows["lowest"], rows["highest"], strict=True)
        spread = [f"{a:.2f}" + ("" if math.isnan(b) else f" [{b:.2f} to {c:.2f}]") for a, b, c in turns]
        cells = [" / ".join(f"{value:.3g}" for value in ours), f"{keras[0]:.3g}", " / ".join(spread)]
        cells += [" / ".join(f"{100 * value:.0f}%" for value in share)]
        yield f"| {network} | {' | '.join(cells)} |"


BLOCKS: dict[str, Callable[[Path], Iterator[str]]] = {
    "sentences": sentences,
    "views": views,
    "protocol": protocol,
    "permuted": permuted,
    "leakage": leakage,
    "networks": networks,
    "extraction": extraction,
}


if __name__ == "__main__":
    main()
