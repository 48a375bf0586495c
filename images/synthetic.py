"""Synthetic smears: drawn images with known labels and patients, for trying things out. They show no real cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ConfigurationError, StorageError
from ..storage import storage_errors, write_text
from .drawing import Morphology, draw_smear, draw_stain
from .synthetic_sites import Scanner, Sites

MARKER = "SYNTHETIC.txt"
"""Name of the file inside the folder that says that its images are drawn."""

STAGES = {
    "Benign": Morphology(nucleus=9.0, coarseness=0.95, nucleoli=0.05, rim=0.08, irregularity=0.02, cells=2.5),
    "Early": Morphology(nucleus=11.4, coarseness=0.65, nucleoli=0.6, rim=0.14, irregularity=0.05, cells=5),
    "Pre": Morphology(nucleus=13.2, coarseness=0.40, nucleoli=1.4, rim=0.22, irregularity=0.05, cells=11),
    "Pro": Morphology(nucleus=14.4, coarseness=0.10, nucleoli=3.0, rim=0.42, irregularity=0.13, cells=6),
}
"""The four classes: the average look of their white cells. They are caricatures, not measurements."""

_BETWEEN_PATIENTS = Morphology(nucleus=0.035, coarseness=0.12, nucleoli=0.15, rim=0.12, irregularity=0.15, cells=0.12)
_BETWEEN_IMAGES = Morphology(nucleus=0.04, coarseness=0.10, nucleoli=0.10, rim=0.10, irregularity=0.1, cells=0.10)
_COMMENT = b"Synthetic smear drawn by leukobench: not a photograph, no patient's cells."
_NOTICE = (
    "These {images} images are SYNTHETIC: leukobench drew them ({patients} patients, seed {seed}, {size} pixels).\n"
    "They are no photographs and show no patient's cells. Scores on them say nothing about diagnosis.\n"
)
_AT_SITES = "They are taken at {count} synthetic sites; share of each class at the sites of that class: {share}.\n"
_UNFINISHED = "They are not all drawn yet.\n"
_BATCH = 50


@dataclass(frozen=True)
class Smears:
    """A set of synthetic smears; see `draw_smears`.

    Attributes
    ----------
    images, patients, seed, size : int
    sites : Sites, optional
        Each patient's site, whose scanner gives its images a colour cast, blur and noise; see `Scanner`. Files are
        called ``<stage>/synthetic-S<site>-P<patient>_<image>.jpg``.
    """

    images: int = 400
    patients: int = 24
    seed: int = 0
    size: int = 224
    sites: Sites | None = None

    @property
    def notice(self) -> str:
        """What the file inside the folder says."""
        notice = _NOTICE.format(images=self.images, patients=self.patients, seed=self.seed, size=self.size)
        sites = self.sites
        share = f"{sites.confound:g}" if sites and sites.confound else "as elsewhere"
        return notice + _AT_SITES.format(count=sites.count, share=share) if sites else notice


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
        New or empty; images that the same call drew before are kept.
    images, patients : int
        Numbers of all images and all patients. A patient has one stage and an equal share of the images.
    seed : int
        Image ``i`` depends on the seed, the number of patients, the size and ``i`` alone: not on the number of images
        or processes.
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
    Every patient has a stain, light, focus and number of red cells of its own, drawn independently of the stage, and
    its own deviations from the stage's morphology. So colours identify patients far better than stages: a split with
    a patient on both sides overstates every score, and a grouped split does not. With the defaults, five folds, frozen
    EfficientNet-Lite0 features and an SVC the accuracy is about 0.97 with patients on both sides and 0.78 with
    grouped folds; six numbers of colour give 0.92 and 0.52. Bytes can differ between processors and versions of Pillow.
    """
    return draw(folder, Smears(images, patients, seed, size), workers, progress)


def draw(
    folder: str | Path, smears: Smears, workers: int = 1, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Draw a set of smears into a folder; see `draw_smears`, which this is with sites.

    Raises
    ------
    ConfigurationError
        Also: fewer than two sites, a share beyond 0 to 1, or fewer than a patient of each class for every site.
    StorageError
    """
    _check(smears)
    folder, notice = Path(folder), smears.notice
    if _has_marker(folder, notice):
        return folder
    _prepare(folder, notice)
    from joblib import Parallel, delayed

    batches = [range(start, min(start + _BATCH, smears.images)) for start in range(0, smears.images, _BATCH)]
    drawn = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_draw_batch)(folder, batch, smears) for batch in batches
    )
    for batch, _ in zip(batches, drawn, strict=True):
        if progress:
            progress(batch.stop, smears.images)
    write_text(folder / MARKER, notice)
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
    """Multiply every trait by a log-normal random factor with the standard deviations in `spread`."""
    names = [field.name for field in fields(Morphology)]
    return Morphology(**{name: getattr(mean, name) * rng.lognormal(0, getattr(spread, name)) for name in names})


def _draw_batch(folder: Path, numbers: range, smears: Smears) -> None:
    for number in numbers:
        pixels, label, patient = draw_image(number, smears.patients, smears.seed, smears.size)
        name = f"{patient}_{number:04d}.jpg"
        if sites := smears.sites:
            site = sites.of_patient(number % smears.patients, len(STAGES), smears.patients)
            scanner = Scanner.of(site, sites.count, smears.seed)
            pixels = scanner.scan(pixels, np.random.default_rng([smears.seed, 3, number]))
            name = f"S{site + 1}-{name}"
        path = folder / label / f"synthetic-{name}"
        with storage_errors(path):
            Image.fromarray(pixels).save(path, "JPEG", quality=92, comment=_COMMENT)


def _check(smears: Smears) -> None:
    images, patients, size = smears.images, smears.patients, smears.size
    if patients < len(STAGES) or images < patients or size < 64:
        raise ConfigurationError(
            "The synthetic smears cannot be drawn.",
            expected=f"at least {len(STAGES)} patients, one image per patient, and a size of 64",
            received=f"{patients} patients, {images} images, size {size}",
            fix="raise the number that is too small.",
        )
    sites = smears.sites
    if sites and (sites.count < 2 or not 0 <= sites.confound <= 1 or patients < len(STAGES) * sites.count):
        raise ConfigurationError(
            "The synthetic smears cannot be drawn at these sites.",
            expected=f"at least 2 sites, {len(STAGES)} patients for each, and a confound of 0 to 1",
            received=f"{sites.count} sites, {patients} patients, confound {sites.confound:g}",
            fix="correct --sites, --patients or --confound.",
        )


def _has_marker(folder: Path, notice: str) -> bool:
    """Whether the folder's marker holds exactly `notice`."""
    marker = folder / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == notice


def _prepare(folder: Path, notice: str) -> None:
    unfinished = _has_marker(folder, notice + _UNFINISHED)
    if folder.is_dir() and any(folder.iterdir()) and not unfinished:
        raise StorageError(
            f"{folder} is not empty.",
            expected="a new or empty folder, or one that the same call began to fill",
            fix="name another folder, or empty this one.",
        )
    for label in STAGES:
        with storage_errors(folder / label):
            (folder / label).mkdir(parents=True, exist_ok=True)
    write_text(folder / MARKER, notice + _UNFINISHED)
