"""The glossary: each word is a link once, in running text alone, and everything else of the page stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

from leukobench.reporting.report.glossary import TERMS, anchor, with_links

from .drawn_run import Page, html_of

TEXT = (
    "<!DOCTYPE html><h2>Folds</h2><p>Shortcuts &amp; folds<br>of a fold: "
    '<svg viewBox="0 0 1 1"><linearGradient id="g"/></svg>95\N{NO-BREAK SPACE}% interval</p>'
    '<td title="a > b">control</td><summary>leaderboard</summary><!-- fold --><p>&#39;unfolded&#39;</p>'
)


def test_the_first_place_in_running_text_is_a_link() -> None:
    linked = with_links(TEXT)
    words = re.findall(r'<a class="word" href="#([^"]+)" title="[^"]+">([^<]+)</a>', linked)
    assert words == [
        (anchor("shortcut"), "Shortcuts"),
        (anchor("fold"), "folds"),
        (anchor("95 % interval"), "95\N{NO-BREAK SPACE}% interval"),
    ]
    assert re.sub(r'<a class="word"[^>]*>([^<]+)</a>', r"\1", linked) == TEXT


def test_every_link_has_its_word_in_the_glossary(written: Path) -> None:
    report = Page(html_of(written))
    links = [str(attrs["href"])[1:] for tag, attrs in report.tags if tag == "a" and attrs.get("class") == "word"]
    assert {anchor("balanced accuracy"), anchor("shortcut"), anchor("fold")} <= set(links)
    assert len(links) == len(set(links))
    assert set(links) <= report.ids()
    assert {anchor(word) for word in TERMS} <= report.ids()
