"""What a terminal shows, as the tutorial and README quote it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

_WIDTH = 100
_EXCERPT = ("control: RANDOM", "shortcut: background")
"""Rows of the leaderboard in README beside the best ones."""
_BEST = 4
_SENTENCES = 4


def screen(reference: Path, name: str, *parts: str) -> Iterator[str]:
    """The output of the command that is published as `name`: all of it, or those of its paragraphs (from 1)."""
    paragraphs = _paragraphs(reference, name)
    chosen = [paragraphs[int(part) - 1] for part in parts] if parts else paragraphs
    yield "```text"
    for position, paragraph in enumerate(chosen):
        yield from [""] if position else []
        for line in paragraph:
            yield from _wrapped(line)
    yield "```"


def quickstart(reference: Path) -> Iterator[str]:
    """The first lines of the quickstart: the best rows, what they stand beside, and the first sentences."""
    protocol, board, _, sentences, *_ = _paragraphs(reference, "quickstart")
    yield "```text"
    yield from protocol[:2]
    yield "..."
    yield from board[: 2 + _BEST]
    yield "..."
    yield from (line for line in board if line.strip().startswith(_EXCERPT))
    yield ""
    for sentence in sentences[:_SENTENCES]:
        yield from _wrapped(sentence)
    yield "```"


def _paragraphs(reference: Path, name: str) -> list[list[str]]:
    text = (reference / "tutorial" / f"{name}.txt").read_text(encoding="utf-8")
    return [part.splitlines() for part in text.strip("\n").split("\n\n")]


def _wrapped(line: str) -> list[str]:
    return (
        [line] if len(line) <= _WIDTH else textwrap.wrap(line, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    )
