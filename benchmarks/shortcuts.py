"""What shortcuts see: ``python -m benchmarks.shortcuts [FOLDER ...] [--seeds 10]``, from the project's root.

Without folders: drawn classes that differ only in the number, the size or the texture of cells, which shortcuts must
not see. With folders (one class each): the class is split in two at random and one half is changed, which they must
see.
Prints the mean balanced accuracy of each row over the seeds, in percent, with the least and the greatest; with
``--run`` the verdict of a run with two extractors and two classifiers, for the first seed.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from leukobench.config.experiment import Evaluation
from leukobench.features.simple_measurements import measure_image
from leukobench.images.drawing import Morphology, draw_smear, draw_stain
from leukobench.images.reading import decode, read_image
from leukobench.steps.score_shortcuts import BACKGROUND, MAJORITY, baselines, shows_background

USUAL = Morphology(nucleus=12, coarseness=0.5, nucleoli=1, rim=0.2, irregularity=0.05, cells=5)
DRAWN = {
    "number of cells": (replace(USUAL, cells=2.5), replace(USUAL, cells=11)),
    "size of cells": (replace(USUAL, nucleus=9.5), replace(USUAL, nucleus=14)),
    "texture of cells": (replace(USUAL, coarseness=0.95, nucleoli=0.05), replace(USUAL, coarseness=0.1, nucleoli=3)),
}
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def add_noise(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(np.rint(pixels + rng.normal(0, 4, pixels.shape)), 0, 255).astype(np.uint8)


def blur(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.7)))


def mark(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    marked = pixels.copy()
    marked[2:12, 2:12] = 30
    return marked


def enlarge(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = (round(1.05 * length) for length in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def add_blue(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    bluer = pixels.copy()
    bluer[..., 2] = np.minimum(bluer[..., 2].astype(int) + 8, 255)
    return bluer


PLANTED: dict[str, Change] = {
    "nothing": lambda pixels, rng: pixels,
    "noise, 4 levels": add_noise,
    "blur, 0.7 pixels": blur,
    "mark at the border": mark,
    "size, 5 %": enlarge,
    "8 levels more blue": add_blue,
    "date": lambda pixels, rng: pixels,
}


def measure(files: Iterable[bytes]) -> tuple[np.ndarray, list[str]]:
    measured = [measure_image(data, decode(data)) for data in files]
    return np.array([list(one.values()) for one in measured], np.float32), list(measured[0])


def scores(files: Iterable[bytes], labels: np.ndarray, groups: np.ndarray, seed: int) -> Iterator[tuple[str, float]]:
    """Balanced accuracy of every row but the majority class, in five folds."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    measured, names = measure(files)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for row in baselines(Evaluation(seed=seed), len(labels), shows_background(measured, names)):
        if row.name != MAJORITY:
            numbers = measured[:, row.columns(names)]
            predicted = cross_val_predict(row.classifier.estimator, numbers, labels, groups=groups, cv=folds)
            yield row.name, 100 * float(balanced_accuracy_score(labels, predicted))


def draw(difference: str, seed: int, patients: int = 40, each: int = 5) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    """JPEG files of patients who have stains of their own, and one of two kinds of cells."""
    files, owners = [], np.repeat(np.arange(patients), each)
    for patient in range(patients):
        rng = np.random.default_rng([seed, patient])
        stain = draw_stain(rng)
        for _ in range(each):
            files.append(encode(draw_smear(DRAWN[difference][patient % 2], stain, rng), "JPEG", quality=92))
    return files, owners % 2, owners


def plant(images: list[np.ndarray], change: str, seed: int) -> tuple[list[bytes], np.ndarray]:
    """PNG files, and which of them were changed."""
    rng = np.random.default_rng(seed)
    changed = rng.permutation(len(images)) < len(images) // 2
    days = np.where(changed, 15, 1) + rng.integers(0, 5, len(images))
    dates = [(f"2024:03:{day:02d} 10:00:00" if change == "date" else "") for day in days]
    files = [
        encode(PLANTED[change](pixels, rng) if one else pixels, "PNG", date=date)
        for pixels, one, date in zip(images, changed, dates, strict=True)
    ]
    return files, changed.astype(int)


def encode(pixels: np.ndarray, kind: str, quality: int = 92, date: str = "") -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    if date:
        exif[306] = date
    options = {"quality": quality} if kind == "JPEG" else {"compress_level": 1}
    Image.fromarray(pixels).save(stream, kind, exif=exif, **options)
    return stream.getvalue()


def verdict(files: Iterable[bytes], labels: np.ndarray, owners: np.ndarray | None = None) -> str:
    """What a run says of its best combination and the shortcuts."""
    from leukobench.config.experiment_file import for_folder
    from leukobench.pipeline import run

    with tempfile.TemporaryDirectory() as scratch:
        for number, (data, label) in enumerate(zip(files, labels, strict=True)):
            owner = number if owners is None else owners[number]
            path = Path(scratch, "images", f"kind {label}", f"p{owner:03d}_{number:04d}{ending(data)}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        settings = {"images": {"group": r"p(\d+)_"}} if owners is not None else {"images": {"copies": "list"}}
        settings["extractors"] = ["efficientnet_lite0", {"efficientnet_lite0": {"pooling": "multilevel"}}]
        settings |= {"selectors": ["none"], "classifiers": ["svm_rbf", "logistic_regression"]}
        answer = run(for_folder(Path(scratch, "images"), results=Path(scratch), **settings)).answer
    return f"{answer.best.value:.3f} {answer.shortcut.words}" if answer.best and answer.shortcut else "no verdict"


def ending(data: bytes) -> str:
    return ".png" if data.startswith(b"\x89PNG") else ".jpg"


def show(what: str, tables: list[dict[str, float]]) -> None:
    rows = {name: [table[name] for table in tables if name in table] for name in tables[0]}
    shown = (f"{name} {np.mean(own):.0f} ({min(own):.0f} to {max(own):.0f})" for name, own in rows.items())
    print(f"{what}: {'; '.join(shown)}{'' if BACKGROUND in rows else '; no background'}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--only", default="")
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    if not options.folders:
        for difference in DRAWN:
            if options.run and options.only in difference:
                print(f"{difference}: {verdict(*draw(difference, options.first))}", flush=True)
            elif options.only in difference:
                drawn = (draw(difference, seed) for seed in seeds)
                show(difference, [dict(scores(*one, seed)) for one, seed in zip(drawn, seeds, strict=True)])
    for folder in options.folders:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        images = [read_image(path) for path in paths[:: max(1, len(paths) // options.images)]]
        for change in PLANTED:
            if options.run and options.only in change:
                print(f"{folder.name}, {change}: {verdict(*plant(images, change, options.first))}", flush=True)
            elif options.only in change:
                planted = (plant(images, change, seed) for seed in seeds)
                groups = np.arange(len(images))
                tables = [dict(scores(*one, groups, seed)) for one, seed in zip(planted, seeds, strict=True)]
                show(f"{folder.name}, {len(images)} images, {change}", tables)


if __name__ == "__main__":
    main()
