"""Write pixels: every image at a network's input size, in one memory-mapped file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImagesChangedError, UnreadableImageError
from ..evaluation.grid import Combination, FeatureSource
from ..evaluation.methods import Method, make_method
from ..images.index import ImageIndex
from ..images.reading import read_resized, reading_threads
from ..machine import DECIDE_NOTHING, code_digest
from ..runs.workspace import Workspace
from ..selection import SELECTORS
from ..storage import atomic_path, digest

READING = "reading pixels"
PIXELS = "pixels"
_AHEAD = 256


def pixel_combinations(networks: Sequence[Method], index: ImageIndex, workspace: Workspace) -> list[Combination]:
    """Each network as a combination: pixels, no selector, the network.

    Images of each size that a network wants are read once, into a file that is deleted at the end of the run.

    Raises
    ------
    ImagesChangedError
        Images changed, or became unreadable, since they were indexed.
    """
    combinations = []
    for method in networks:
        target, identity = pixels_for(method, index.files(), workspace)
        source = FeatureSource(PIXELS, target, identity, images=True)
        combinations.append(Combination(source, make_method(SELECTORS, "none", {}, "none", 0), method))
    return combinations


def pixels_for(network: Method, files: Sequence[tuple[str, str]], workspace: Workspace) -> tuple[Path, str]:
    """Write the images `files`, (image_id, path) each, at a network's input size into one file; its path and identity.

    Raises
    ------
    ImagesChangedError
        Images changed, or became unreadable, since they were indexed.
    """
    size, interpolation = input_of(network)
    identity = digest(["pixels", list(size), interpolation, _reading()])
    seen = digest([[image_id for image_id, _ in files], identity])
    target = workspace.folder.matrix(f"pixels-{seen[:16]}")
    if not target.exists():
        with workspace.progress(f"{READING} at {size[0]} x {size[1]}", len(files)) as advance:
            _write(target, [path for _, path in files], size, interpolation, workspace.workers, advance)
    return target, identity


def input_of(network: Method) -> tuple[tuple[int, int], str]:
    """Input size of a network, and how images are resized to it."""
    height, width = network.estimator.input_size
    return (height, width), getattr(network.estimator, "interpolation", "bilinear")


def _reading() -> list[str]:
    """What decides the pixels besides the files: the code that reads them, and Pillow."""
    return [code_digest("images.reading", apart_from=DECIDE_NOTHING), version("pillow")]


def _write(
    target: Path, paths: Sequence[str], size: tuple[int, int], interpolation: str, workers: int, advance: Any
) -> None:
    shape = (len(paths), *size, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_path(target) as unfinished, unfinished.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for pixels in _read(paths, size, interpolation, workers):
            stream.write(pixels.tobytes())  # a full disk is an error here, where a mapped file would kill the process
            advance(1)


def _read(paths: Sequence[str], size: tuple[int, int], interpolation: str, workers: int) -> Iterator[NDArray[np.uint8]]:
    def read(path: str) -> NDArray[np.uint8]:
        try:
            return read_resized(path, size, interpolation)
        except UnreadableImageError as error:
            raise ImagesChangedError({path: error.what}) from error

    with ThreadPoolExecutor(reading_threads(paths[0], workers)) as pool:
        for start in range(0, len(paths), _AHEAD):
            yield from pool.map(read, paths[start : start + _AHEAD])
