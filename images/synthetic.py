"""Synthetic smears: drawn images with known labels and patients, for trying things out. They show no one's cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ConfigurationError, StorageError
from .drawing import Morphology, draw_smear, draw_stain

MARKER = "SYNTHETIC.txt"
"""Name of the file that says, inside the folder, that its images are drawn."""

STAGES = {
    "Benign": Morphology(nucleus=10.2, coarseness=0.80, nucleoli=0.2, rim=0.14, irregularity=0.03, cells=4),
    "Early": Morphology(nucleus=12.0, coarseness=0.60, nucleoli=0.7, rim=0.16, irregularity=0.05, cells=5),
    "Pre": Morphology(nucleus=13.0, coarseness=0.40, nucleoli=1.3, rim=0.22, irregularity=0.05, cells=8),
    "Pro": Morphology(nucleus=12.6, coarseness=0.25, nucleoli=2.0, rim=0.32, irregularity=0.08, cells=6),
}
"""The four classes: what their white cells look like on average. They are caricatures, not measurements."""

_BETWEEN_PATIENTS = Morphology(nucleus=0.06, coarseness=0.15, nucleoli=0.25, rim=0.20, irregularity=0.2, cells=0.20)
_BETWEEN_IMAGES = Morphology(nucleus=0.04, coarseness=0.10, nucleoli=0.10, rim=0.10, irregularity=0.1, cells=0.10)
_COMMENT = b"Synthetic smear drawn by leukobench: not a photograph, no patient's cells."
_BATCH = 50


def draw_smears(
    folder: str | Path,
    images: int = 400,
    patients: int = 24,
    seed: int = 0,
    size: int = 224,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw synthetic smear images into ``folder/<stage>/synthetic-P<patient>_<image>.jpg``.

    Parameters
    ----------
    folder : str or Path
        New or empty.
    images, patients : int
        Numbers of all images and all patients. A patient has one stage and an equal share of the images.
    seed : int
        Image ``i`` depends on the seed, the number of patients, the size and ``i`` alone: not on how many images are
        drawn, nor by how many processes.
    size : int
        Height and width in pixels, at least 64.
    workers : int
        Processes that draw.
    progress : callable, optional
        Called with the number of images drawn so far and the number of all.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigurationError
        There are fewer patients than stages, fewer images than patients, or the size is too small.
    StorageError
        The folder is not empty or cannot be written.

    Notes
    -----
    Every patient has an own stain, light, focus and number of red cells, drawn independently of the stage, and own
    deviations from the stage's morphology. So colours tell patients but not stages: a split that lets a patient stand
    on both sides overstates the score, and a grouped split does not.
    """
    _check(images, patients, size)
    folder = Path(folder)
    _prepare(folder, images, patients, seed)
    from joblib import Parallel, delayed

    batches = [range(start, min(start + _BATCH, images)) for start in range(0, images, _BATCH)]
    drawn = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_draw_batch)(folder, batch, patients, seed, size) for batch in batches
    )
    for batch, _ in zip(batches, drawn, strict=True):
        if progress:
            progress(batch.stop, images)
    return folder


def draw_image(number: int, patients: int = 24, seed: int = 0, size: int = 224) -> tuple[np.ndarray, str, str]:
    """Draw image `number` of the set that `draw_smears` writes.

    Returns
    -------
    pixels : ndarray of uint8, shape (size, size, 3)
    label : str
        A name in `STAGES`.
    patient : str
        Such as ``"P07"``.
    """
    patient = number % patients
    label = list(STAGES)[patient % len(STAGES)]
    of_patient = np.random.default_rng([seed, 0, patient])
    stain = draw_stain(of_patient)
    of_image = np.random.default_rng([seed, 1, number])
    morphology = _vary(_vary(STAGES[label], _BETWEEN_PATIENTS, of_patient), _BETWEEN_IMAGES, of_image)
    return draw_smear(morphology, stain, of_image, size), label, f"P{patient + 1:0{len(str(patients))}d}"


def _vary(mean: Morphology, spread: Morphology, rng: np.random.Generator) -> Morphology:
    """Multiply every trait by chance, log-normally, with the standard deviations in `spread`."""
    names = [field.name for field in fields(Morphology)]
    return Morphology(**{name: getattr(mean, name) * rng.lognormal(0, getattr(spread, name)) for name in names})


def _draw_batch(folder: Path, numbers: range, patients: int, seed: int, size: int) -> None:
    for number in numbers:
        pixels, label, patient = draw_image(number, patients, seed, size)
        path = folder / label / f"synthetic-{patient}_{number:04d}.jpg"
        Image.fromarray(pixels).save(path, "JPEG", quality=92, comment=_COMMENT)


def _check(images: int, patients: int, size: int) -> None:
    if patients < len(STAGES) or images < patients or size < 64:
        raise ConfigurationError(
            "The synthetic smears cannot be drawn.",
            expected=f"at least {len(STAGES)} patients, an image a patient, and a size of 64",
            received=f"{patients} patients, {images} images, size {size}",
            mend="raise the number that is too small.",
        )


def _prepare(folder: Path, images: int, patients: int, seed: int) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise StorageError(
            f"{folder} is not empty.", expected="a new or empty folder", mend="name another folder, or empty this one."
        )
    try:
        for label in STAGES:
            (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(
            f"These {images} images are SYNTHETIC: leukobench drew them ({patients} patients, seed {seed}).\n"
            "They are no photographs and show no patient's cells. Scores on them say nothing about diagnosis.\n",
            encoding="utf-8",
        )
    except OSError as error:
        raise StorageError(f"{folder} cannot be written.", received=str(error), mend="name another folder.") from error
