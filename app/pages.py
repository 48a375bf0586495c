"""The pages that the target of the server allows, and the header of all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ..errors import LeukobenchError
from . import compare, diagnose, explore, start
from .style import in_words, tab_title
from .target import Target, read_target

_STYLE = Path(__file__).with_name("style.css")
_ICON = Path(__file__).with_name("icon.svg")


def show() -> None:
    """Draw the page that the visitor opened."""
    st.set_page_config(page_icon=str(_ICON), layout="wide")
    st.html(_STYLE)
    try:
        target = read_target()
        pages = _pages(target)
        st.session_state["pages"] = {page.title: page for page in pages}
        home = st.Page(partial(st.switch_page, pages[0]), title="leukobench", default=True)
        page = st.navigation([home, *pages], position="hidden")
        tab_title(page.title)
        _header(pages)
        if page.title != "Diagnose":
            diagnose.forget()
        page.run()
    except LeukobenchError as error:
        st.error(in_words(error))


def _header(pages: list[Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        st.html('<span class="lb-brand">leukobench</span>', width="content")
        for page in pages:
            st.page_link(page)
        st.html('<span class="lb-use">Research use only: not a medical device.</span>', width="content")


def _pages(target: Target) -> list[Any]:
    """Diagnose where there is a bundle, Explore where there are or will be runs, Compare and Run where more can be."""
    chosen = []
    if target.bundles():
        chosen.append(("Diagnose", diagnose.page))
    if target.kind != "bundle" or target.results:
        chosen.append(("Explore", explore.page))
    if target.results:
        chosen.append(("Compare", compare.page))
    if target.results:
        chosen.append(("Run", start.page))
    return [st.Page(partial(page, target), title=title, url_path=title.lower()) for title, page in chosen]
