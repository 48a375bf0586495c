"""Blocks of the documents that are written, not typed: between ``<!-- reference: NAME -->`` and the end of reference.

A new block is a function in ``blocks/``, from the folder of published results (and the words after the name in the
marker, such as ``sentences cells``) to lines of Markdown, and one line of `BLOCKS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from .blocks import (
    commands,
    datasets,
    experiment_file,
    leaks,
    licences,
    networks,
    outputs,
    overview,
    presets,
    protocol,
    screens,
    speed,
)
from .page import page

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"
BLOCKS: dict[str, Callable[..., Iterable[str]]] = {
    "sentences": protocol.sentences,
    "views": protocol.views,
    "protocol": protocol.protocol,
    "permuted": protocol.permuted,
    "leakage": leaks.leakage,
    "networks": networks.networks,
    "extraction": speed.extraction,
    "runs": overview.runs,
    "best-by": overview.best_by,
    "software": overview.software,
    "ours": overview.ours,
    "presets": presets.presets,
    "keys": experiment_file.keys,
    "commands": commands.commands,
    "licences": licences.licences,
    "datasets": datasets.datasets,
    "benchmark": speed.benchmark,
    "quickstart": screens.quickstart,
    "screen": screens.screen,
    "outputs": outputs.outputs,
    "metrics": outputs.metrics,
    "glossary": outputs.glossary,
}
_BLOCK = re.compile(r"<!-- reference: ([\w -]+?) -->\n.*?<!-- end of reference -->", re.DOTALL)


def documents(root: Path = ROOT) -> list[Path]:
    """Documents that may have blocks: README, all of docs/ but the decisions, and READMEs of published results."""
    docs, decisions = root / "docs", root / "docs" / "decisions"
    pages = [path for path in sorted(docs.rglob("*.md")) if decisions not in path.parents]
    return [root / "README.md", *pages, *sorted((root / "results" / "reference").rglob("README.md"))]


def written(reference: Path = REFERENCE, root: Path = ROOT) -> dict[Path, str]:
    """Every document with its blocks anew, and the page of all published rows: path -> text."""
    texts = {path: with_figures(path.read_text(encoding="utf-8"), reference) for path in documents(root)}
    return texts | {reference / "index.html": page(reference)}


def write_documents(reference: Path = REFERENCE, root: Path = ROOT) -> None:
    """Write all that `written` gives."""
    for path, text in written(reference, root).items():
        path.write_text(text, encoding="utf-8")


def with_figures(text: str, reference: Path = REFERENCE) -> str:
    """The text with every block anew; one whose results were never published stays as it is."""

    def block(marker: re.Match[str]) -> str:
        name, *words = marker[1].split()
        try:
            lines = "\n".join(BLOCKS[name](reference, *words))
        except FileNotFoundError:
            return marker[0]
        return f"<!-- reference: {marker[1]} -->\n{lines}\n<!-- end of reference -->"

    return _BLOCK.sub(block, text)
