"""``external/<name>/answer.json``, typed: how a model does on labelled images of another source."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import ConfigurationError
from .stored import Stored

FOLDER, ANSWER = "external", "answer.json"
_POINT = 0.01
SCHEMA = 1
"""Version of the file; whoever changes or removes a key raises it."""


@dataclass(frozen=True)
class ImagesTested(Stored):
    """Which images there were, and what became of them.

    Attributes
    ----------
    folder : str
        As it is called, without its path.
    digest : str
        SHA-256 (hex) of the ids, labels and groups of those that were scored.
    scored, groups : int
    patients : bool
        Whether each group is a patient.
    classes : tuple of str
        That were scored, in the order of every list by class.
    counts, training : tuple of int
        Images of each: that were scored, and training images.
    mapped : tuple of str
        Such as ``"blast = ALL"``, where the names differ.
    unmapped : tuple of str
        Such as ``"other (12)"``: classes that the model does not have, which were left out.
    absent : tuple of str
        Classes of the model of which there is no image.
    unused : int
        Files that were not used for another reason.
    """

    folder: str
    digest: str
    scored: int
    groups: int
    patients: bool
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    training: tuple[int, ...]
    mapped: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unused: int = 0

    @property
    def same_shares(self) -> bool:
        """Whether each class is as frequent as among the training images, within half a point."""
        here, there = max(sum(self.counts), 1), max(sum(self.training), 1)
        return all(abs(n / here - t / there) < _POINT / 2 for n, t in zip(self.counts, self.training, strict=True))


@dataclass(frozen=True)
class CopiesTested(Stored):
    """Images that the model was trained on; a number that is not defined is None.

    Attributes
    ----------
    identical, near, relabelled : int
        Left out: files that are the same byte for byte, other copies, and how many of both bear another label.
    likely : int
        Pairs that may be copies: they are listed, and stay in the score.
    compared, training : int
        Training images that could still be read, and all.
    without, without_low, without_high : float
        The score without the images of likely pairs.
    """

    identical: int = 0
    near: int = 0
    relabelled: int = 0
    likely: int = 0
    compared: int = 0
    training: int = 0
    without: float | None = None
    without_low: float | None = None
    without_high: float | None = None

    @property
    def left_out(self) -> int:
        """How many were left out."""
        return self.identical + self.near


@dataclass(frozen=True)
class CombinationTested(Stored):
    """One combination on the external images, and in its own cross-validation, of the classes that there are.

    A number that is not defined is None. `inside` is None where the bundle does not know it.
    """

    extractor: str
    selector: str
    classifier: str
    value: float | None
    low: float | None
    high: float | None
    inside: float | None
    inside_low: float | None
    inside_high: float | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    error: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        """Extractor, selector, classifier."""
        return self.extractor, self.selector, self.classifier


@dataclass(frozen=True)
class ClassCalibration(Stored):
    """Calibration of one class against the rest; see `leukobench.evaluation.statistics.calibration_line`."""

    label: str
    intercept: float | None
    intercept_low: float | None
    intercept_high: float | None
    slope: float | None
    slope_low: float | None
    slope_high: float | None


@dataclass(frozen=True)
class SetsTested(Stored):
    """Prediction sets of one level: how often they hold the true class, with the 95 % interval, and their size."""

    level: float
    coverage: float
    low: float | None
    high: float | None
    size: float
    single: float


@dataclass(frozen=True)
class ShiftTested(Stored):
    """One measured quantity: how probable a higher value than that of a training image of the same class is."""

    part: str
    name: str
    above: float | None
    low: float | None
    high: float | None
    here: float | None
    there: float | None
    differs: bool


@dataclass(frozen=True)
class SharesTested(Stored):
    """What the shares of the classes alone do to a metric of the cross-validation."""

    metric: str
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RecalibrationPoint(Stored):
    """A metric of the other groups, before and after recalibration on some of them; see `CurvePoint`."""

    metric: str
    groups: int
    draws: int
    before: float | None
    after: float | None
    low: float | None
    high: float | None
    better: float


_LISTS: dict[str, type[Stored]] = {
    "combinations": CombinationTested,
    "calibration": ClassCalibration,
    "sets": SetsTested,
    "shifts": ShiftTested,
    "shares": SharesTested,
    "recalibration": RecalibrationPoint,
}


@dataclass(frozen=True)
class ExternalAnswer(Stored):
    """What ``answer.json`` of an external test holds.

    Attributes
    ----------
    name, time : str
    kind : {"bundle", "run"}
        What was tested.
    run, digest : str
        Name of the run; SHA-256 (hex) of the bundle, or of what decides the run's predictions.
    state : str
        Digest of everything that decides this answer.
    margin : float
        A gap that is smaller does not count; None where the model is not surely better than guessing inside.
    combinations : tuple of CombinationTested
        The one that the answer is about first; none where all images are copies.
    flagged, flagged_low, flagged_high : float
        Share of the images that are unlike the training data.
    verdict : str
        A name of `leukobench.reporting.external_verdicts.VERDICTS`.
    """

    name: str
    time: str
    kind: str
    run: str
    digest: str
    state: str
    metric: str
    margin: float | None
    images: ImagesTested
    copies: CopiesTested
    combinations: tuple[CombinationTested, ...] = ()
    calibration: tuple[ClassCalibration, ...] = ()
    sets: tuple[SetsTested, ...] = ()
    flagged: float | None = None
    flagged_low: float | None = None
    flagged_high: float | None = None
    shifts: tuple[ShiftTested, ...] = ()
    shares: tuple[SharesTested, ...] = ()
    recalibration: tuple[RecalibrationPoint, ...] = ()
    verdict: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def chosen(self) -> CombinationTested | None:
        """The combination that the answer is about."""
        return self.combinations[0] if self.combinations else None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From a JSON object.

        Raises
        ------
        ConfigurationError
            Another version of leukobench wrote it.
        KeyError, TypeError, AttributeError
            It is none.
        """
        if stored.get("schema") != SCHEMA:
            raise ConfigurationError(
                "The external test was written by another version of leukobench.",
                expected=f"schema {SCHEMA}",
                received=str(stored.get("schema")),
                fix="run `leukobench external` again.",
            )
        typed: dict[str, Any] = {
            name: tuple(map(part.from_json, stored.get(name, ()))) for name, part in _LISTS.items()
        }
        typed["images"] = ImagesTested.from_json(stored["images"])
        typed["copies"] = CopiesTested.from_json(stored["copies"])
        return super().from_json({**stored, **typed})

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return {"schema": SCHEMA, **_defined(super().to_json())}


def _defined(value: Any) -> Any:
    """None for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _defined(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def external_answers(home: Path) -> dict[Path, ExternalAnswer]:
    """Folder and answer of each external test of a run, or beside a bundle; what cannot be read is passed over."""
    answers = {}
    for path in sorted((home / FOLDER).glob(f"*/{ANSWER}")):
        try:
            answers[path.parent] = ExternalAnswer.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigurationError):
            continue
    return answers
