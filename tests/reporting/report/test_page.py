"""The report on made-up runs: everything is there, nothing comes from outside, no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shutil
import time
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from leukobench.errors import StorageError
from leukobench.evaluation.statistics.analysis import Analysis
from leukobench.reporting.report.page import write_report
from leukobench.reporting.report.tables import read_table

CLASSES = ("Benign", "Früh ♥", "Pre", "<script>alert(1)</script>")
SENTENCES = [
    "Best of 49: efficientnet_lite0(pooling=multilevel) x none x svm_rbf, balanced accuracy 98.54 % [95.53 to 99.61]; "
    "corrected for having been picked: 97.93 % [94.9 to 99.0].",
    "3 other combinations cannot be told from it (corrected resampled t-test over folds, Holm, 5 %).",
    "CONFOUNDED: colour alone reaches 94.17 % [90.0 to 96.6], 94% of the way from the weakest baseline to the best "
    "combination, without looking at a cell: the score is no evidence of diagnostic skill. IMAGE-LEVEL, OPTIMISTIC.",
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
    answer = {
        "sentences": SENTENCES,
        "protocol": ["480 images in 4 classes: Benign 120", "IMAGE-LEVEL, OPTIMISTIC: no patients known"],
        "best": {k: None if pd.isna(v) else v for k, v in (analysis.winner() or {}).items()},
        "indistinguishable": 3,
        "shortcut": {"verdict": "confounded", "name": "colour", "value": shortcut["balanced_accuracy"], **facts},
        "groups": {"kind": "none", "words": "IMAGE-LEVEL, OPTIMISTIC"},
        "duplicates": {"words": "2 pairs.", "identical_files": 1, "near_duplicates": 1, "label_conflicts": 1},
    }
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    said = {"name": "trial <&>", "evaluation": {"rank_by": "balanced_accuracy"}, "images": {"folder": "/data/\udce9"}}
    said["resolved"] = {"software": {"leukobench": "0.1.0", "machine": "x86_64"}, "extractors": {}, "images": "ab12"}
    (folder / "experiment.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")


def _write_audit(folder: Path) -> None:
    (folder / "audit" / "sheets").mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(0, 255, (500, 1600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "audit" / "sheets" / "copies-1.png")
    pair = {"kind": "near-duplicate", "path_a": "a/<img src=x onerror=alert(2)>.jpg", "path_b": "b/ñ.jpg",
            "label_a": CLASSES[0], "label_b": CLASSES[3], "similarity": 0.998, "turned": 90.0, "mirrored": True,
            "labels_differ": True}  # fmt: skip
    pairs = [pair] + [pair | {"kind": "identical file", "label_b": CLASSES[0], "labels_differ": False}] * 60
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


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_run(tmp_path_factory.mktemp("results") / "trial")


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "trial"))


def page(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def without(folder: Path, *names: str) -> Page:
    for name in names:
        (folder / name).unlink()
    return page(folder)


SECTIONS = {
    "protocol", "winner", "leaderboard", "heat", "confusion", "classes", "reliability", "costs", "patients",
    "stability", "audit", "ledger", "made", "notes",
}  # fmt: skip


def test_every_section_is_there_in_order(folder: Path) -> None:
    found = page(folder)
    order = [attrs["id"] for tag, attrs in found.tags if tag == "section" and attrs.get("id")]
    assert set(order) == SECTIONS
    assert order.index("winner") < order.index("leaderboard") < order.index("heat") < order.index("audit")
    assert {attrs["href"] for tag, attrs in found.tags if tag == "a"} <= {f"#{name}" for name in SECTIONS}


def test_the_answer_comes_first_and_in_full(folder: Path) -> None:
    text = page(folder).text
    places = [text.index(sentence) for sentence in SENTENCES]
    assert places == sorted(places)
    assert places[-1] < text.index("IMAGE-LEVEL, OPTIMISTIC: no patients known") < text.index("The best combination")
    assert "Confounded" in text
    assert "Image-level, optimistic" in text
    assert "1 under more than one label" in text
    assert "Research use only, not a medical device" in text


def test_each_row_shows_its_value_and_interval(folder: Path) -> None:
    text, table = page(folder).text, pd.read_csv(folder / "leaderboard.csv")
    shown = table[table["balanced_accuracy"].notna()]
    assert len(shown) == 51
    for row in shown.to_dict("records"):
        value, low, high = (100 * row[f"balanced_accuracy{end}"] for end in ("", "_low", "_high"))
        assert f"{value:.2f} % [{low:.2f} to {high:.2f} %]" in text


def test_a_failed_row_gives_its_reason_and_no_number(folder: Path) -> None:
    assert "failed in 1 of 4 folds: ValueError: no <b>feature</b> is left" in page(folder).text
    row = re.search(r'<tr class="failed">(.*?)</tr>', (folder / "report.html").read_text(encoding="utf-8"), re.DOTALL)
    assert row is not None
    assert not re.search(r"[\d.]+\s?%", row[1])


def test_rows_not_told_from_the_best_and_shortcuts_are_marked(folder: Path) -> None:
    html = write_report(folder).read_text(encoding="utf-8")
    table = pd.read_csv(folder / "leaderboard.csv", dtype={"indistinguishable": str})
    alike = (table["indistinguishable"] == "True") & (table["rank"] != 1)
    assert html.count('title="cannot be told from the best"') == alike.sum() > 0
    assert html.count('<tr class="shortcut') == 2
    assert html.count('combination best">') == 1


def test_the_heat_map_has_every_combination(folder: Path) -> None:
    table = pd.read_csv(folder / "leaderboard.csv")
    lost = table["extractor"] == "mobilenetv2"
    table.loc[lost, ["balanced_accuracy", "rank"]] = math.nan
    table.loc[lost, "status"] = "failed in 4 of 4 folds"
    table.to_csv(folder / "leaderboard.csv", index=False)
    heat = write_report(folder).read_text(encoding="utf-8").partition('id="heat"')[2].partition("</table>")[0]
    cells = re.findall(r'<td style="--t:[\d.]+"[^>]*>([^<]*)<', heat)
    scored = table.loc[table["balanced_accuracy"].notna() & (table["kind"] == "combination"), "balanced_accuracy"]
    assert sorted(cells) == sorted([f"{100 * value:.2f}" for value in scored] + ["no score"] * 25)


def test_confusion_has_the_raw_counts(folder: Path) -> None:
    html = write_report(folder).read_text(encoding="utf-8")
    best = pd.read_csv(folder / "leaderboard.csv")[KEYS].iloc[0].tolist()
    table = pd.read_parquet(folder / "confusion.parquet")
    counts = table.loc[(table[KEYS] == best).all(axis=1), "count"].tolist()
    first = html.partition('id="confusion"')[2].partition("</table>")[0]
    assert [int(cell) for cell in re.findall(r'class="(?:right|wrong)">(\d+)', first)] == counts


def test_rates_stand_beside_their_counts(folder: Path) -> None:
    table = pd.read_csv(folder / "classes.csv")
    best = pd.read_csv(folder / "leaderboard.csv")[KEYS].iloc[0].tolist()
    text = page(folder).text
    for row in table[(table[KEYS] == best).all(axis=1)].to_dict("records"):
        assert f"{100 * row['tp'] / (row['tp'] + row['fn']):.2f} % {row['tp']} of {row['tp'] + row['fn']}" in text
        assert f"{100 * row['tn'] / (row['tn'] + row['fp']):.2f} % {row['tn']} of {row['tn'] + row['fp']}" in text


def test_the_worst_patient_leads_its_table(folder: Path) -> None:
    table = pd.read_parquet(folder / "patients.parquet")
    best = pd.read_csv(folder / "leaderboard.csv")[KEYS].iloc[0].tolist()
    lowest = table.loc[(table[KEYS] == best).all(axis=1), "accuracy"].min()
    section = page(folder).text.partition("The worst patients")[2]
    assert re.search(r"\d+ of 10 ([\d.]+) %", section)[1] == f"{100 * lowest:.2f}"  # type: ignore[index]


def test_long_tables_show_their_first_fifty(folder: Path) -> None:
    text = page(folder).text
    assert "first 50 of 61" in text
    assert text.count("Thumbs") == 50
    assert "Files that were not used: 70" in text


def test_nothing_comes_from_outside(folder: Path) -> None:
    html = write_report(folder).read_text(encoding="utf-8")
    found = Page(html)
    for tag, attrs in found.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "action"):
            assert (attrs.get(name) or "#").startswith(("#", "data:image/"))
    assert not re.search(r"url\(|@import|https?://|src=\"//", html)
    policy = next(attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv"))
    known = base64.b64encode(hashlib.sha256(found.scripts[0].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{known}'" in str(policy)


def test_names_never_become_markup(folder: Path) -> None:
    found = page(folder)
    assert len(found.scripts) == sum(tag == "script" for tag, _ in found.tags) == 1
    assert not [attrs for tag, attrs in found.tags for name in attrs if name.startswith("on")]
    assert "<script>alert(1)</script>" in found.text
    assert "<img src=x onerror=alert(2)>.jpg" in found.text
    assert "Früh ♥" in found.text


@given(name=st.text(st.characters(exclude_categories=["Cc"]), min_size=1))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_leaves_the_tags_as_they_are(name: str, tmp_path: Path) -> None:
    def tags(text: str) -> list[str]:
        row = dict.fromkeys(KEYS, text.encode("utf-8", "replace").decode()) | {"kind": "combination", "rank": 1}
        pd.DataFrame([row | {"accuracy": 0.5, "status": "ok"}]).to_csv(tmp_path / "leaderboard.csv", index=False)
        answer = {"sentences": [text], "protocol": [text], "duplicates": {"words": text}}
        (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
        return [tag for tag, _ in page(tmp_path).tags if tag != "wbr"]

    assert tags(name) == tags("plain")


@pytest.mark.parametrize(
    ("names", "sections"),
    [
        (["confusion.parquet"], {"confusion"}),
        (["classes.csv"], {"classes"}),
        (["reliability.parquet"], {"reliability"}),
        (["patients.parquet", "patient_scores.csv"], {"patients"}),
        (["stability.csv"], {"stability"}),
        (["audit/copies.parquet", "audit/differences.csv"], {"audit"}),
        (["ledger.parquet"], {"ledger"}),
        (["experiment.yaml"], {"made"}),
        (["answer.json"], {"winner", "protocol"}),
        (["comparisons.csv", "notes.csv", "images.parquet", "patient_scores.csv"], set()),
    ],
)
def test_a_section_without_its_table_is_left_out(folder: Path, names: list[str], sections: set[str]) -> None:
    assert SECTIONS - without(folder, *names).ids() == sections


def test_a_run_in_which_everything_failed(tmp_path: Path) -> None:
    row = {"rank": None, "extractor": "a", "selector": "b", "classifier": "c", "kind": "combination"}
    pd.DataFrame([row | {"status": "failed in 4 of 4 folds"}]).to_csv(tmp_path / "leaderboard.csv", index=False)
    said = {"best": None, "shortcut": None, "sentences": ["Every combination failed."], "indistinguishable": 0}
    (tmp_path / "answer.json").write_text(json.dumps(said))
    found = page(tmp_path)
    assert "failed in 4 of 4 folds" in found.text
    assert found.ids() & SECTIONS == {"leaderboard", "notes"}


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        ("better", "Better than every shortcut"),
        ("confounded", "Confounded"),
        ("confounded", "Partly confounded"),
        ("not better", "Not better than a shortcut"),
    ],
)
def test_the_shortcut_verdict_is_said_in_words(folder: Path, verdict: str, word: str) -> None:
    answer = json.loads((folder / "answer.json").read_text())
    answer["shortcut"]["verdict"] = verdict
    answer["shortcut"]["words"] = "PARTLY CONFOUNDED: colour" if word.startswith("Partly") else ""
    answer["chance"] = {"at_chance": verdict == "better", "words": "PERMUTED LABELS"}
    (folder / "answer.json").write_text(json.dumps(answer))
    text = page(folder).text
    assert word in text
    assert ("Not at chance" in text) == (verdict != "better")


def test_no_results_and_damaged_tables_are_explained(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no results"):
        write_report(tmp_path / "nothing")
    (folder / "confusion.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(StorageError, match="cannot be read"):
        write_report(folder)
    for name, torn in (("answer.json", '{"best": '), ("experiment.yaml", "a: [1"), ("answer.json", "7")):
        (folder / name).write_text(torn)
        with pytest.raises(StorageError, match=f"{name} is damaged"):
            write_report(folder)
        (folder / name).unlink()


def test_the_page_is_small_quick_and_always_the_same(tmp_path: Path) -> None:
    folder = draw_run(tmp_path / "wide", extractors=4)
    target = write_report(folder)
    first, started = target.read_bytes(), time.perf_counter()
    write_report(folder)
    assert time.perf_counter() - started < 3
    assert target.read_bytes() == first
    assert len(first) < 5_000_000
    assert not list(folder.glob(".part-*"))


def test_names_that_look_like_numbers_or_like_nothing_stay_names(tmp_path: Path) -> None:
    pd.DataFrame({"label": ["NA", "01", "None"], "tp": [1, 2, 3]}).to_csv(tmp_path / "classes.csv", index=False)
    assert read_table(tmp_path / "classes.csv")["label"].tolist() == ["NA", "01", "None"]


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(folder: Path, theme: int) -> None:
    html = write_report(folder).read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", html.split(":root {")[1 + theme].partition("}")[0]))
    pairs = [("ink", ground) for ground in ("page", "card", "heat", "wrong", "zebra", "bad-back", "note-back")]
    pairs += [(text, ground) for text in ("muted", "mark") for ground in ("page", "card")] + [("shortcut", "card")]
    pairs += [(state, f"{state}-back") for state in ("good", "warn", "bad", "note")] + [("bad", "card")]
    for text, ground in pairs:
        darker, lighter = sorted(luminance(colours[name]) for name in (text, ground))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)
