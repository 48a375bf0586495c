"""How many planted copies are found, by kind: ``python -m benchmarks.copies FOLDER ...``, from the project's root."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from leukobench.images.reading import read_image
from tests.audit.planting import COPIES, MOVED, found, listed, prints_of

ORIGINALS = 40
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
KINDS = {what: make for what, (_, make) in COPIES.items()} | MOVED


def planted(folder: Path, scratch: Path) -> pd.DataFrame:
    """For each kind: copies planted beside all images of a folder, copies found, and pairs that are none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    files = {f"{number:05d}{path.suffix}": path.read_bytes() for number, path in enumerate(paths)}
    images = listed(scratch / "images", files)
    prints = prints_of(images)
    before = grouped(found(images, prints, workers=2))
    chosen = np.random.default_rng(1).permutation(len(images))[: min(ORIGINALS, len(images))]
    rows = []
    for what, make in KINDS.items():
        pixels = {row: read_image(images["path"][row]) for row in chosen.tolist()}
        copies = listed(scratch / what, {f"{row}.copy": make(image) for row, image in pixels.items()})
        both = pd.concat([images, copies], ignore_index=True)
        pairs = grouped(found(both, np.concatenate([prints, prints_of(copies)]), workers=2))
        wanted = {
            frozenset((images["image_id"][row], copy)) for row, copy in zip(pixels, copies["image_id"], strict=True)
        }
        ids = dict(zip(copies["image_id"], images["image_id"][list(pixels)], strict=True))
        original = {frozenset(ids.get(member, member) for member in pair) for pair in pairs}
        wrong = {pair for pair in original if len(pair) == 2} - before
        rows.append((what, len(wanted), len(wanted & pairs), len(wrong)))
        print(folder.name, *rows[-1], flush=True)
    return pd.DataFrame(rows, columns=["kind", "planted", "found", "other pairs"]).set_index("kind")


def grouped(copies: pd.DataFrame) -> set[frozenset[str]]:
    sure = copies[~copies["kind"].isin(["looks alike", "identical file"])]
    return set(map(frozenset, zip(sure["image_id_a"], sure["image_id_b"], strict=True)))


def main() -> None:
    tables = {}
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            tables[Path(name).name] = planted(Path(name), Path(scratch))
    print(pd.concat(tables, axis=1).to_string())


if __name__ == "__main__":
    main()
