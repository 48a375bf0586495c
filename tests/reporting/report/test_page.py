"""The report on made-up runs: everything is there, nothing comes from outside, no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import shutil
import time
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukobench.errors import ConfigurationError, LeukobenchError, StorageError
from leukobench.reporting.report.page import write_report
from leukobench.reporting.report.sections import SECTIONS as REGISTRY
from leukobench.runs.answer import Duplicates

from .drawn_run import KEYS, Page, draw_run, html_of, page, read_answer, write_answer


def without(folder: Path, *names: str) -> Page:
    for name in names:
        (folder / name).unlink()
    return page(folder)


SECTIONS = {
    "winner", "intervals", "answer", "leaderboard", "heat", "costs", "stability", "classes", "confusion", "calibration",
    "patients", "audit", "ledger", "protocol", "methods", "provenance", "glossary", "notes",
}  # fmt: skip


def test_every_section_is_there_in_order(written: Path) -> None:
    found = Page(html_of(written))
    order = [attrs["id"] for tag, attrs in found.tags if tag == "section" and attrs.get("id")]
    assert set(order) == SECTIONS
    assert order.index("winner") < order.index("leaderboard") < order.index("heat") < order.index("audit")
    links = {str(attrs["href"]) for tag, attrs in found.tags if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= found.ids()
    files = {link for link in links if not link.startswith("#")}
    assert {f"figures/{path.name}" for path in (written / "figures").iterdir()} <= files


def test_each_row_shows_its_value_and_interval(written: Path) -> None:
    text, table = Page(html_of(written)).text, pd.read_csv(written / "leaderboard.csv")
    shown = table[table["balanced_accuracy"].notna()]
    assert len(shown) == 51
    for row in shown.to_dict("records"):
        value, low, high = (100 * row[f"balanced_accuracy{end}"] for end in ("", "_low", "_high"))
        assert f"{value:.2f} % [{low:.2f} to {high:.2f}]" in text


def test_a_failed_row_gives_its_reason_and_no_number(written: Path) -> None:
    assert "failed in 1 of 4 folds: ValueError: no <b>feature</b> is left" in Page(html_of(written)).text
    row = re.search(
        r'<tr class="failed"[^>]*>(.*?)</tr>', (written / "report.html").read_text(encoding="utf-8"), re.DOTALL
    )
    assert row is not None
    assert not re.search(r"[\d.]+\s?%", row[1])


def test_rows_that_may_be_the_best_and_shortcuts_are_marked(written: Path) -> None:
    html = html_of(written)
    table = pd.read_csv(written / "leaderboard.csv", dtype={"in_best_set": str})
    assert html.count('title="may be the best"') == (table["in_best_set"] == "True").sum() > 0
    assert html.count('<tr class="shortcut') == 2
    assert html.count("◆ shortcut</span></th>") == 2
    assert html.count('combination best among"') == 1


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


def test_rates_stand_beside_their_counts(written: Path) -> None:
    table = pd.read_csv(written / "classes.csv")
    best = pd.read_csv(written / "leaderboard.csv")[KEYS].iloc[0].tolist()
    text = Page(html_of(written)).text
    for row in table[(table[KEYS] == best).all(axis=1)].to_dict("records"):
        assert f"{100 * row['tp'] / (row['tp'] + row['fn']):.2f} % {row['tp']} of {row['tp'] + row['fn']}" in text
        assert f"{100 * row['tn'] / (row['tn'] + row['fp']):.2f} % {row['tn']} of {row['tn'] + row['fp']}" in text
        for name in ("sensitivity_at_95_specificity", "specificity_at_95_sensitivity"):
            value, low, high = (100 * row[f"{name}{end}"] for end in ("", "_low", "_high"))
            assert re.search(rf"{value:.2f} %\s*\[{low:.2f} to {high:.2f}\]", text)


def test_the_worst_patient_leads_its_table(written: Path) -> None:
    table = pd.read_parquet(written / "patients.parquet")
    best = pd.read_csv(written / "leaderboard.csv")[KEYS].iloc[0].tolist()
    lowest = table.loc[(table[KEYS] == best).all(axis=1), "accuracy"].min()
    section = Page(html_of(written)).text.partition("The worst patients")[2]
    assert re.search(r"\d+ of 10 ([\d.]+) %", section)[1] == f"{100 * lowest:.2f}"  # type: ignore[index]


def test_long_tables_show_their_first_fifty(written: Path) -> None:
    text = Page(html_of(written)).text
    assert "first 50 of 61" in text
    assert text.count("Thumbs") == 50
    assert "Files that were not used: 70" in text


def test_nothing_comes_from_outside(written: Path) -> None:
    html = html_of(written)
    found = Page(html)
    for tag, attrs in found.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "action"):
            target = attrs.get(name) or "#"
            assert target.startswith(("#", "data:image/")) or (written / target).is_file()
    assert not re.search(
        r"url\((?!#)|@import|https?://|src=\"//", re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    )
    policy = next(attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv"))
    run = [hashlib.sha256(text.encode()).digest() for text in re.findall(r"<script>(.*?)</script>", html, re.DOTALL)]
    known = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in run)
    assert len(run) == 2
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {known};" in str(policy)


def test_names_never_become_markup(written: Path) -> None:
    found = Page(html_of(written))
    kinds = [attrs.get("type") for tag, attrs in found.tags if tag == "script"]
    figures = sum(attrs.get("class") == "vega" for _, attrs in found.tags)
    assert len(found.scripts) == len(kinds) == figures + 2
    assert kinds == ["application/json"] * figures + [None] * 2
    assert not [attrs for tag, attrs in found.tags for name in attrs if name.startswith("on")]
    assert "<script>alert(1)</script>" in found.text
    assert "<img src=x onerror=alert(2)>.jpg" in found.text
    assert "Früh ♥" in found.text


@given(name=st.text(st.characters(exclude_categories=["Cc"]), min_size=1))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_leaves_the_tags_as_they_are(name: str, drawn: Path, tmp_path: Path) -> None:
    def tags(text: str) -> list[str]:
        row = dict.fromkeys(KEYS, text.encode("utf-8", "replace").decode()) | {"kind": "combination", "rank": 1}
        table = pd.DataFrame([row | {"accuracy": 0.5, "status": "ok"}])
        table.to_csv(tmp_path / "leaderboard.csv", index=False)
        shutil.copy(drawn / "experiment.yaml", tmp_path)
        duplicates = Duplicates(0, 0, 0, 0, 0, text)
        answer = replace(read_answer(drawn), name=text, sentences=(text,), protocol=(text,), duplicates=duplicates)
        write_answer(tmp_path, replace(answer, best=None, shortcut=None))
        found = page(tmp_path).tags
        return [tag for tag, attrs in found if tag != "wbr" and attrs.get("class") != "word"]

    assert tags(name) == tags("plain")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "sections"),
    [
        (["confusion.parquet"], {"confusion"}),
        (["classes.csv"], {"classes"}),
        (["reliability.parquet"], {"calibration"}),
        (["patients.parquet", "patient_scores.csv"], {"patients"}),
        (["stability.csv"], {"stability"}),
        (["audit/copies.parquet", "audit/differences.csv"], {"audit"}),
        (["ledger.parquet"], {"ledger"}),
        (["comparisons.csv", "notes.csv", "images.parquet", "patient_scores.csv"], set()),
    ],
)
def test_a_section_without_its_table_is_left_out(folder: Path, names: list[str], sections: set[str]) -> None:
    assert SECTIONS - without(folder, *names).ids() == sections


def test_pairs_that_are_not_grouped_stand_apart_from_copies(folder: Path) -> None:
    report = page(folder)
    assert "Copies in one group (first 50 of 61)" in report.text
    assert "Pairs that are not grouped (1)" in report.text
    assert report.text.index("Pairs that are not grouped") < report.text.index("c/unsure.jpg")
    sheets = [str(attrs["alt"]) for tag, attrs in report.tags if tag == "img" and attrs.get("class") == "sheet"]
    assert ["look alike and are not grouped" in alt for alt in sheets] == [False, True]
    table = pd.read_parquet(folder / "audit" / "copies.parquet")
    table.drop(columns=["grouped", "reason"]).to_parquet(folder / "audit" / "copies.parquet")
    assert "Pairs that are not grouped" not in page(folder).text, "runs of earlier versions grouped every pair"


def test_a_run_in_which_everything_failed(drawn: Path, tmp_path: Path) -> None:
    row = {"rank": None, "extractor": "a", "selector": "b", "classifier": "c", "kind": "combination"}
    pd.DataFrame([row | {"status": "failed in 4 of 4 folds"}]).to_csv(tmp_path / "leaderboard.csv", index=False)
    shutil.copy(drawn / "experiment.yaml", tmp_path)
    answer = replace(read_answer(drawn), best=None, shortcut=None, sentences=("Every combination failed.",))
    write_answer(tmp_path, answer)
    report = page(tmp_path)
    assert "failed in 4 of 4 folds" in report.text
    assert report.ids() & SECTIONS == {"answer", "protocol", "leaderboard", "provenance", "glossary", "notes"}


def test_no_results_and_damaged_tables_are_explained(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no finished run"):
        write_report(tmp_path / "nothing")
    (folder / "confusion.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(StorageError, match="cannot be read"):
        write_report(folder)
    (folder / "confusion.parquet").unlink()
    (folder / "experiment.yaml").write_text("a: [1")
    with pytest.raises(LeukobenchError, match=r"experiment\.yaml"):
        write_report(folder)


def test_a_plug_in_that_fails_costs_its_own_section_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REGISTRY, "_plugins", lambda: {"broken": EntryPoint("broken", "math:sqrt", "")})
    report = page(folder)
    assert "This section failed: TypeError" in report.text
    assert report.ids() >= SECTIONS | {"broken"}


@pytest.mark.slow
def test_the_page_is_small_quick_and_always_the_same(tmp_path: Path) -> None:
    folder = draw_run(tmp_path / "wide", extractors=4)
    target = write_report(folder)
    first, started = target.read_bytes(), time.perf_counter()
    write_report(folder)
    assert time.perf_counter() - started < 10
    assert target.read_bytes() == first
    assert len(first) < 5_000_000
    assert not list(folder.glob(".part-*"))


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(written: Path, theme: int) -> None:
    html = html_of(written)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", html.split(":root {")[1 + theme].partition("}")[0]))
    pairs = [("ink", ground) for ground in ("page", "card", "heat", "wrong", "zebra", "bad-back", "note-back")]
    pairs += [(text, ground) for text in ("muted", "mark") for ground in ("page", "card")] + [("shortcut", "card")]
    pairs += [(state, f"{state}-back") for state in ("good", "warn", "bad", "note")] + [("bad", "card")]
    for text, ground in pairs:
        darker, lighter = sorted(luminance(colours[name]) for name in (text, ground))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)
