"""What a notebook shows of an object: a title, sentences and a table."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


def block(title: str, sentences: Iterable[str], rest: str = "") -> str:
    """HTML of a title and sentences, which may hold anything, and of more HTML that follows."""
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"<div><h4>{escape(title)}</h4>{words}{rest}</div>"
