"""Make the vocabulary of fingerprints from folders of unlike images: ``python benchmarks/vocabulary.py FOLDER ...``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

from leukobench.images import fingerprint
from leukobench.images.keypoints import find_keypoints, grey_version
from leukobench.images.reading import read_image

WORDS, NUMBERS = 64, 32
IMAGES, DESCRIPTORS = 200, 15_000
"""Of each folder, so that each counts alike."""
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


def descriptors_of(folder: Path, rng: np.random.Generator) -> np.ndarray:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    keypoints = [find_keypoints(grey_version(read_image(str(path)))) for path in paths[:: max(1, len(paths) // IMAGES)]]
    numbers = fingerprint.symmetric(np.concatenate([found.descriptors for found in keypoints]))
    return numbers[rng.permutation(len(numbers))[:DESCRIPTORS]]


def main() -> None:
    rng = np.random.default_rng(0)
    numbers = np.concatenate([descriptors_of(Path(folder), rng) for folder in sys.argv[1:]])
    middle = numbers.mean(axis=0)
    directions = np.linalg.svd(numbers[::4] - middle, full_matrices=False)[2][:NUMBERS].T
    projection = directions / np.sqrt(((numbers - middle) @ directions).std(axis=0))
    words = KMeans(WORDS, n_init=1, random_state=0).fit((numbers - middle) @ projection).cluster_centers_
    parts = {"middle": middle, "projection": projection, "words": words}
    target = Path(fingerprint.__file__).with_name("vocabulary.npz")
    np.savez_compressed(target, **{name: part.astype(np.float16) for name, part in parts.items()})


if __name__ == "__main__":
    main()
