"""Public sets of images: what `leukobench datasets` lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def datasets(reference: Path) -> Iterator[str]:
    """A table of all, then each with its facts."""
    from leukobench.images.datasets import public_sets

    yield "| name | images | licence | layout | patients |"
    yield "|---|---|---|---|---|"
    for one in public_sets().values():
        yield f"| [{one.name}](#{one.name}) | {one.size()} | {one.licence} | `{one.layout}` | {one.patients} |"
    for one in public_sets().values():
        traps = [words for fact, words in one.facts() if fact == "trap"]
        facts = {fact: words for fact, words in one.facts() if fact != "trap"}
        yield from ("", f"### {one.name}", f"{one.title}.", "")
        facts |= {"layout": f"`{facts['layout']}`", "from": f"<{one.url}>"}
        yield from (f"- {fact}: {_plain(words)}" for fact, words in facts.items())
        yield from (f"- **trap**: {_plain(words)}" for words in traps)


def _plain(words: str) -> str:
    """Signs that Markdown would read, as they are."""
    return words if words.startswith(("<", "`")) else words.replace("_", "\\_").replace("[", "\\[").replace("<", "\\<")
