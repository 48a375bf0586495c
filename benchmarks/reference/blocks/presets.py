"""The presets: what each one runs, what it is taken from, and how it differs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def presets(reference: Path) -> Iterator[str]:
    """A row a preset."""
    from leukobench.config.presets import presets as known
    from leukobench.steps.catalogue import methods_words

    yield "| preset | what it runs | source | reported there | how the source's protocol and this one differ |"
    yield "|---|---|---|---|---|"
    for name, preset in known().items():
        yield f"| `{name}` | {methods_words(preset)} | {preset.source} | {preset.reported} | {preset.differs} |"
