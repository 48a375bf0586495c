"""The surest errors of the best combination, as pictures."""

from __future__ import annotations

from html import escape

from ....runs.finished import FinishedRun
from ..numbers import title_of
from ..section import Section
from ..sheet import sheet_data

_SHEET = "worst-1.png"


def section(run: FinishedRun) -> Section | None:
    """None where nothing is wrong, or nobody looked."""
    sheet = sheet_data(run.folder / "sheets" / _SHEET)
    if not sheet or run.answer.best is None:
        return None
    words = escape(title_of(run.answer.best.names))
    html = (
        f'<p class="small">Images that {words} predicts wrongly while it is most sure: with their labels, and the '
        "probability of what is predicted.</p>"
        '<div class="scroll" tabindex="0" role="group" aria-label="Contact sheet">'
        f'<img class="sheet" src="{sheet}" alt="Contact sheet: the surest errors of the best combination"></div>'
    )
    finding = "images on which the best combination is wrong, and most sure"
    return Section("The surest errors", html, nav="Surest errors", finding=finding)
