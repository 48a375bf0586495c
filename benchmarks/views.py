"""Whether views find what a score needs: ``python -m benchmarks.views [CASE ...] [--seeds 10]``, from the root.

Drawn images of two classes that differ in one thing alone: tint, a mark at the border, blur, noise, or the size of
nuclei. Each set is run with multilevel features and logistic regression; prints the verdict of each view that the
case is about, whether all are as expected, and what the leaderboard's rows are called.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.metrics import metric_of
from leukobench.images.drawing import Morphology, draw_smear, draw_stain
from leukobench.pipeline import run
from leukobench.reporting.verdicts import drop_words
from leukobench.runs.view_answer import Views

USUAL = Morphology(nucleus=12, coarseness=0.5, nucleoli=1, rim=0.2, irregularity=0.05, cells=5)
SMALL, LARGE = replace(USUAL, nucleus=10), replace(USUAL, nucleus=14)
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
NEEDED, NOT = "needed", "not needed"


def tint(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.rint(pixels * np.array([0.88, 0.96, 1.0])).astype(np.uint8)


def mark(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    marked, side = pixels.copy(), len(pixels) // 20
    marked[2 : 2 + side, 2 : 2 + side] = 30
    return marked


def blur(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(len(pixels) / 150)))


def noise(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(np.rint(pixels + rng.normal(0, 8, pixels.shape)), 0, 255).astype(np.uint8)


PLANTED: dict[str, Change] = {"colour": tint, "border": mark, "blur": blur, "noise": noise}
EXPECTED = {
    "colour": {"colour normalised": NEEDED, "border cut": NOT, "noise levelled": NOT},
    "border": {"border cut": NEEDED, "colour normalised": NOT, "noise levelled": NOT},
    "blur": {"blurred": NEEDED, "colour normalised": NOT, "border cut": NOT},
    "noise": {"noise levelled": NEEDED, "colour normalised": NOT, "border cut": NOT},
    "morphology": {"background only": NEEDED, "colour normalised": NOT, "noise levelled": NOT, "foreground only": NOT},
}
"""Case -> verdicts on what carries the label, and on two things that do not."""
ROWS = {
    "colour": "whole-image colour",
    "border": "border",
    "blur": "sharpness and noise",
    "noise": "sharpness and noise",
}
"""Case -> row of the leaderboard that sees it, and is to be needed."""


def draw(case: str, folder: Path, seed: int, patients: int, each: int, size: int) -> Path:
    """Draw patients with stains of their own, each of one class."""
    for patient in range(patients):
        rng = np.random.default_rng([seed, patient])
        stain, label = draw_stain(rng), patient % 2
        cells = (SMALL, LARGE)[label] if case == "morphology" else USUAL
        for number in range(each):
            pixels = draw_smear(cells, stain, rng, size)
            if label and case in PLANTED:
                pixels = PLANTED[case](pixels, rng)
            path = folder / f"kind {label}" / f"p{patient:03d}_{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
            path.write_bytes(stream.getvalue())
    return folder


def views_of(case: str, seed: int, patients: int = 40, each: int = 6, size: int = 160, **settings: object) -> Views:
    """What a run on such images says."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = draw(case, Path(scratch, "images"), seed, patients, each, size)
        usual: dict[str, object] = {
            "images": {"group": r"p(\d+)_"},
            "extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}],
            "selectors": ["none"],
            "classifiers": ["logistic_regression"],
        }
        views = run(for_folder(folder, results=Path(scratch), **(usual | settings))).answer.views
    if views is None or not views.results:
        raise SystemExit(f"no views: {views}")
    return views


def as_expected(case: str, views: Views) -> bool:
    """Whether all expected verdicts came out, and no other on them, nor on the row that sees what was planted."""
    rows = {one.name: one.verdict for one in views.shortcuts}
    views_right = all(views.result(view).verdict == verdict for view, verdict in EXPECTED[case].items())
    return views_right and (case not in ROWS or rows.get(ROWS[case]) == NEEDED)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", default=list(EXPECTED))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=100)
    options = parser.parse_args()
    for case in options.cases:
        for seed in range(options.first, options.first + options.seeds):
            views = views_of(case, seed)
            metric = metric_of(views.metric)
            drops = "; ".join(
                f"{one.view} {drop_words(metric, one.drop, one.low, one.high)} {one.verdict}" for one in views.results
            )
            rows = ", ".join(f"{one.name} {100 * one.value:.0f}: {one.verdict}" for one in views.shortcuts)
            right = "as expected" if as_expected(case, views) else "NOT AS EXPECTED"
            print(
                f"{case}, seed {seed}: {right}; {100 * (views.untouched or 0):.1f} untouched; {drops}; {rows}",
                flush=True,
            )


if __name__ == "__main__":
    main()
