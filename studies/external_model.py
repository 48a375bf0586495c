"""A model that is tested on external images, and what it gives for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..bundling.coverage import LEVELS
from ..bundling.out_of_fold import OutOfFold
from ..config.experiment import Evaluation
from ..evaluation.combination_names import Names, title
from ..evaluation.metric import Floats
from ..evaluation.statistics.shifts import Quantiles
from ..images.index import ImageIndex
from ..runs.workspace import Workspace
from ..serving.conformal import ConformalScores, prediction_sets
from ..serving.training_reference import TrainingReference

if TYPE_CHECKING:
    import pandas as pd

Flags = NDArray[np.bool_]
_BLOCK = 512


@dataclass(frozen=True)
class Predicted:
    """What one combination, fitted on all training images, gives for n external ones.

    Attributes
    ----------
    names : (str, str, str)
    probabilities : ndarray of float64, shape (n, K)
        As its bundle gives them, at the temperature of that.
    sets : dict of float to ndarray of bool, shape (n, K)
        Prediction sets by their level.
    unlike : ndarray of bool, shape (n,)
        Unlike the training data.
    copies : ndarray of str, shape (n,)
        Image id of the training image that each is likely to be a copy of, by its features; '' where there is none.
    inside : OutOfFold, optional
        Of the training images, at the same temperature; None in a bundle that an earlier leukobench made.
    error : str
        Why there are no probabilities; then they are NaN.
    """

    names: Names
    probabilities: Floats
    sets: Mapping[float, Flags]
    unlike: Flags
    copies: NDArray[np.str_]
    inside: OutOfFold | None
    error: str = ""

    @classmethod
    def failed(cls, names: Names, images: int, classes: int, error: str) -> Predicted:
        """One that could not be fitted."""
        flags, texts = np.zeros(images, dtype=bool), np.full(images, "")
        return cls(names, np.full((images, classes), np.nan), {}, flags, texts, None, error or f"{title(names)} failed")


@dataclass(frozen=True)
class Model:
    """What is tested: one combination, or several that were compared with one another.

    Attributes
    ----------
    kind : {"bundle", "run"}
    name : str
        Of the run.
    digest : str
        SHA-256 (hex) of what decides the predictions: the bundle's own, or that of the run's experiment and images.
    classes : tuple of str
        Sorted.
    counts : tuple of int
        Training images of each.
    evaluation : Evaluation
        Ranking metric, seed, resamples, margin.
    chosen : (str, str, str)
        The combination that the answer is about.
    image_ids : frozenset of str
        Of the training images.
    patients : str
        Kind of their groups; see `leukobench.runs.answer.Groups`.
    training : DataFrame, optional
        image_id, label and path of the training images; None where their files are not known.
    quantiles : callable
        From a workspace to quantiles of measurements of the training images; None where they are not known.
    predict : callable
        From images and a workspace to what each combination gives, the chosen one first.
    """

    kind: str
    name: str
    digest: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    evaluation: Evaluation
    chosen: Names
    image_ids: frozenset[str]
    patients: str
    training: pd.DataFrame | None
    quantiles: Callable[[Workspace], Quantiles | None]
    predict: Callable[[ImageIndex, Workspace], list[Predicted]]


@dataclass(frozen=True)
class Surroundings:
    """What features of n images say beside their class, given those of the training images."""

    reference: TrainingReference
    vectors: NDArray[np.float32]

    def predicted(
        self, names: Names, calibrated: Floats, scores: ConformalScores, inside: OutOfFold | None
    ) -> Predicted:
        """With prediction sets, flags and likely copies."""
        sets = {level: prediction_sets(calibrated, scores.thresholds(level)) for level in LEVELS}
        return Predicted(names, calibrated, sets, self._unlike, self._copies, inside)

    @cached_property
    def _unlike(self) -> Flags:
        return np.concatenate([self.reference.rare(self.reference.scores(part)[1]) for part in self._parts()])

    @cached_property
    def _copies(self) -> NDArray[np.str_]:
        rows = np.concatenate([self.reference.likely_copies(part)[0] for part in self._parts()])
        return np.where(rows >= 0, self.reference.image_ids[rows], "")

    def _parts(self) -> list[NDArray[np.float32]]:
        """A few images at a time, since their distances to all training images are held."""
        return np.array_split(self.vectors, -(-len(self.vectors) // _BLOCK))
