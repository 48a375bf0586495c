"""A made-up run as its folder holds it, and the page that its report is."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from leukobench.evaluation.statistics.analysis import Analysis
from leukobench.reporting.report.page import write_report
from leukobench.runs.answer import Answer, Duplicates, Groups, ShortcutVerdict, Winner

CLASSES = ("Benign", "Früh ♥", "Pre", "<script>alert(1)</script>")
SENTENCES = [
    "Best of 49: efficientnet_lite0(pooling=multilevel) x none x svm_rbf, balanced accuracy 98.54 % [95.53 to 99.61]; "
    "corrected for selecting the best of 49: 97.93 % [94.9 to 99.0].",
    "With 95 % confidence the best of these 49 fitted models is among the 4 that the leaderboard marks with =.",
    "CONFOUNDED: colour alone reaches 94.17 % [90.0 to 96.6], 94 % of the way from guessing to the best "
    "combination: these data cannot separate skill from this shortcut. IMAGE-LEVEL, OPTIMISTIC.",
]
KEYS = ["extractor", "selector", "classifier"]
SELECTORS = ("none", "anova", "rfe", "pca", "lasso")
CLASSIFIERS = ("svm_rbf", "logistic_regression", "random_forest", "naive_bayes", "knn")
VOID = {"meta", "input", "br", "wbr", "img", "line"}


def draw_run(folder: Path, extractors: int = 2, images: int = 480, patients: int = 48) -> Path:
    """Tables as a run leaves them, from made-up probabilities; combinations differ in how often they are right."""
    rng = np.random.default_rng(0)
    names = ["efficientnet_lite0(pooling=multilevel)", "mobilenetv2", *(f"network {i}" for i in range(extractors))]
    labels = np.arange(images) % patients % len(CLASSES)
    groups = np.arange(images) % patients
    own = [f"patient {group:03d}" for group in groups]
    folds = (groups // len(CLASSES) % 4)[None]
    analysis = Analysis(labels, CLASSES, groups, folds, "balanced_accuracy", resamples=50, patients=own)
    keys = list(product(names[:extractors], SELECTORS, CLASSIFIERS))
    for place, key in enumerate(keys[:-1]):
        analysis.add(key, "combination", _probabilities(rng, labels, 2.8 - 1.8 * place / len(keys)))
    shortcuts = {"shortcut: colour": ("svm_rbf", 2.5), "shortcut: majority class": ("majority class", 0.0)}
    for name, (classifier, skill) in shortcuts.items():
        analysis.add((name, "none", classifier), "shortcut", _probabilities(rng, labels, skill))
    tables = analysis.tables()
    leaderboard = _leaderboard(tables.pop("leaderboard"), keys[-1], rng)
    _write(folder, {"leaderboard": leaderboard, **tables})
    _write_answer(folder, analysis, leaderboard)
    _write_audit(folder)
    return folder


def _probabilities(rng: np.random.Generator, labels: np.ndarray, skill: float) -> np.ndarray:
    logits = rng.normal(size=(1, len(labels), len(CLASSES)))
    logits[0, np.arange(len(labels)), labels] += skill
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _leaderboard(table: pd.DataFrame, failed: tuple[str, str, str], rng: np.random.Generator) -> pd.DataFrame:
    for cost in ("selector_s", "fit_s", "predict_s"):
        table[cost] = 10 ** rng.uniform(-3, 1, len(table))
    table = table.assign(features=100.0, folds=4, status="ok")
    row = dict(zip(KEYS, failed, strict=True)) | {"kind": "combination", "folds": 4, "status": "failed in 1 of 4 folds"}
    table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    table = table.sort_values("balanced_accuracy", ascending=False, na_position="last", ignore_index=True)
    ranked = table["balanced_accuracy"].where(table["kind"] == "combination").rank(method="min", ascending=False)
    return table.assign(rank=ranked.astype("Int64"))


def _write(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    folder.mkdir(parents=True)
    for name, table in tables.items():
        if name in ("confusion", "reliability", "patients"):
            table.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            table.to_csv(folder / f"{name}.csv", index=False)
    error = {"repeat": 0, "fold": 2, "kind": "error", "text": "Traceback ...\nValueError: no <b>feature</b> is left\n"}
    failed = tables["leaderboard"].query("status != 'ok'")[KEYS].iloc[0].to_dict()
    pd.DataFrame([failed | error]).to_csv(folder / "notes.csv", index=False)
    kept = [("mobilenetv2", "anova", 100.0, 0.83, 0.71, 0.83), ("mobilenetv2", "none", 1280.0, math.nan, 1.0, math.nan)]
    columns = ["extractor", "selector", "features", "kuncheva", "jaccard", "nogueira"]
    pd.DataFrame(kept, columns=columns).to_csv(folder / "stability.csv", index=False)


def _write_answer(folder: Path, analysis: Analysis, leaderboard: pd.DataFrame) -> None:
    shortcut = leaderboard[leaderboard["kind"] == "shortcut"].iloc[0]
    facts = {end: shortcut[f"balanced_accuracy{end and '_' + end}"] for end in ("low", "high")}
    colour = {"name": "colour", "value": shortcut["balanced_accuracy"], **facts}
    answer = Answer(
        name="trial <&>",
        time="2026-01-31T12:00:00+00:00",
        sentences=tuple(SENTENCES),
        protocol=("480 images in 4 classes: Benign 120", "IMAGE-LEVEL, OPTIMISTIC: no patients known"),
        best=Winner.from_json(analysis.winner() or {}),
        best_set=4,
        algorithms=None,
        shortcut=ShortcutVerdict(**colour, failed=0, verdict="confounded", share=0.94, words=""),
        groups=Groups("none", "IMAGE-LEVEL, OPTIMISTIC"),
        duplicates=Duplicates(1, 0, 1, 2, 1, "2 pairs."),
        chance=None,
    )
    write_answer(folder, answer)
    experiment = {"name": "trial", "images": {"folder": "/data/\udce9"}}
    resolved = {"software": {"leukobench": "0.1.0", "machine": "x86_64"}, "extractors": {}, "images": "ab12"}
    text = yaml.safe_dump(experiment | {"resolved": resolved}, allow_unicode=True)
    (folder / "experiment.yaml").write_text(text, encoding="utf-8")


def write_answer(folder: Path, answer: Answer) -> None:
    (folder / "answer.json").write_text(json.dumps(answer.to_json()), encoding="utf-8")


def read_answer(folder: Path) -> Answer:
    return Answer.from_json(json.loads((folder / "answer.json").read_text(encoding="utf-8")))


def _write_audit(folder: Path) -> None:
    (folder / "audit" / "sheets").mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(0, 255, (500, 1600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "audit" / "sheets" / "copies-1.png")
    Image.fromarray(pixels).save(folder / "audit" / "sheets" / "looks-alike-1.png")
    pair = {"kind": "near-duplicate", "path_a": "a/<img src=x onerror=alert(2)>.jpg", "path_b": "b/ñ.jpg",
            "label_a": CLASSES[0], "label_b": CLASSES[3], "similarity": 0.998, "turned": 90.0, "mirrored": True,
            "labels_differ": True}  # fmt: skip
    pairs = [pair] + [pair | {"kind": "identical file", "label_b": CLASSES[0], "labels_differ": False}] * 60
    pairs = [row | {"grouped": True, "reason": ""} for row in pairs]
    pairs.append(pair | {"kind": "looks alike", "path_a": "c/unsure.jpg", "grouped": False, "reason": "looks alike"})
    pd.DataFrame(pairs).to_parquet(folder / "audit" / "copies.parquet")
    facts = [["JPEG quality", "75", "75", "90", "90", 0.61, "tells the classes apart"], ["width", *["224"] * 4, 0, ""]]
    columns = ["fact", *CLASSES, "separation", "verdict"]
    pd.DataFrame(facts, columns=columns).to_csv(folder / "audit" / "differences.csv", index=False)
    lost = [{"path": f"Thumbs {i}.db", "reason": "not an image"} for i in range(70)]
    pd.DataFrame(lost).to_parquet(folder / "ledger.parquet")
    pd.DataFrame({"label": np.repeat(CLASSES, 120)}).to_parquet(folder / "images.parquet")


class Page(HTMLParser):
    """Tags, their attributes, and the visible text; refuses tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)
        assert not self.open
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
            self.text += " " * (tag in ("td", "th"))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text += data

    def ids(self) -> set[str]:
        return {attrs["id"] for _, attrs in self.tags if attrs.get("id")}  # type: ignore[misc]


def html_of(folder: Path) -> str:
    """The report that was written."""
    return (folder / "report.html").read_text(encoding="utf-8")


def page(folder: Path) -> Page:
    """Write the report and read it."""
    return Page(write_report(folder).read_text(encoding="utf-8"))
