"""Pixels: every image at the size that a network wants, in one memory-mapped file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ImagesError, UnreadableImageError
from .evaluation.grid import Combination, FeatureSource
from .evaluation.methods import Method, make_method
from .images import decoding, reading
from .images.index import ImageIndex
from .images.reading import read_resized
from .runs.folder import RunFolder
from .runs.progress import Progress
from .selection import SELECTORS
from .storage import atomic_path, digest, file_digest

READING = "reading pixels"
PIXELS = "pixels"
_AHEAD = 256


def on_pixels(
    networks: Sequence[Method], index: ImageIndex, folder: RunFolder, workers: int, progress: Progress
) -> list[Combination]:
    """Each network as a combination: pixels, no selector, the network.

    Images of each size that a network wants are read once, into a file that is deleted at the end of the run.

    Raises
    ------
    ImagesError
        Images went bad since the audit looked at them.
    """
    made = []
    for method in networks:
        target, identity = pixels_for(method, index.files(), folder, workers, progress)
        source = FeatureSource(PIXELS, target, identity, images=True)
        made.append(Combination(source, make_method(SELECTORS, "none", {}, "none", 0), method))
    return made


def pixels_for(
    network: Method, files: Sequence[tuple[str, str]], folder: RunFolder, workers: int, progress: Progress
) -> tuple[Path, str]:
    """Bring the images `files`, (image_id, path) each, into one file as a network wants them; its path and identity.

    Raises
    ------
    ImagesError
        Images went bad since the audit looked at them.
    """
    size, interpolation = wanted(network)
    identity = digest(["pixels", list(size), interpolation, _reading()])
    seen = digest([[image_id for image_id, _ in files], identity])
    target = folder.matrix(f"pixels-{seen[:16]}")
    if not target.exists():
        with progress(f"{READING} at {size[0]} x {size[1]}", len(files)) as advance:
            _write(target, [path for _, path in files], size, interpolation, workers, advance)
    return target, identity


def wanted(network: Method) -> tuple[tuple[int, int], str]:
    """Height and width of the images that a network wants, and how they are resized."""
    height, width = network.estimator.input_size
    return (height, width), getattr(network.estimator, "interpolation", "bilinear")


def _reading() -> list[str]:
    """What decides the pixels beside the files: the code that reads them, and Pillow."""
    return [*(file_digest(Path(module.__file__ or "")) for module in (reading, decoding)), version("pillow")]


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
        return read_resized(path, size, interpolation)

    try:
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(paths), _AHEAD):
                yield from pool.map(read, paths[start : start + _AHEAD])
    except UnreadableImageError as error:
        raise ImagesError(
            "An image went bad while the run worked.",
            received=str(error),
            mend="leave the folder as it is during a run, and run the same command again.",
        ) from error
