"""Every extractor with weights: licence, size, length of its vectors, and whether it lies on this disk."""

from __future__ import annotations

from dataclasses import dataclass

from ..networks.applications import applications
from ..networks.recipes import recipes
from ..networks.shipped import shipped_networks
from ..networks.weights import on_disk

_HEAD = ("name", "network", "numbers", "input", "MB", "licence", "gated", "on this disk")
_RIGHT = {"numbers", "input", "MB"}


@dataclass(frozen=True)
class ExtractorFacts:
    """What is known of an extractor before anything is downloaded.

    Attributes
    ----------
    name, title : str
        As an experiment file has it, and what people call it.
    numbers, input, megabytes : int
        Length of its vectors (of Keras's networks: with the default pooling), sides of an image in pixels, size of the
        weights; 0: unknown.
    licence : str
        Of the weights.
    gated : bool
        The weights are given to those who accept the terms.
    on_disk : bool
        Nothing has to be downloaded.
    """

    name: str
    title: str
    numbers: int
    input: int
    megabytes: int
    licence: str
    gated: bool
    on_disk: bool

    def cells(self) -> tuple[str, ...]:
        """Words of its row."""
        counts = [f"{count:,}" if count else "?" for count in (self.numbers, self.input, self.megabytes)]
        answers = ["yes" if answer else "no" for answer in (self.gated, self.on_disk)]
        return self.name, self.title, *counts, self.licence, *answers


def all_extractors() -> list[ExtractorFacts]:
    """The networks that leukobench lists, all others of keras.applications, and well-known ones of timm."""
    shipped = {network.name: network for network in shipped_networks()}
    networks = {**shipped, **{name: one for name, one in applications().items() if name not in shipped}}
    facts = [
        ExtractorFacts(
            one.name, one.title, one.numbers, one.input_size[0], one.megabytes, one.licence, False, on_disk(one)
        )
        for one in networks.values()
    ]
    others = [
        ExtractorFacts(
            one.name, one.title, one.numbers, one.input, one.megabytes, one.licence, one.gated, one.on_disk()
        )
        for one in recipes()
    ]
    return facts + others


def lines() -> list[str]:
    """A table of all of them, and how to name more."""
    rows = [_HEAD, *(one.cells() for one in all_extractors())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    table = [
        "  ".join(
            cell.rjust(width) if head in _RIGHT else cell.ljust(width)
            for cell, width, head in zip(row, widths, _HEAD, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [
        *table,
        "",
        "timm:NAME takes any network of timm, timm:hf-hub:OWNER/NAME any that was pushed to the hub by it:",
        "`pip install 'leukobench[torch]'`. Some need parameters: docs/extractors.md has them, and the ways without",
        "the hub: weights from a file, a table of embeddings, ONNX.",
    ]
