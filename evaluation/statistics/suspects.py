"""Label suspects: images whose label the out-of-fold probabilities of many combinations contradict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..metric import Floats, Integers

_LEAST = 1e-6
"""Of a probability, so that one combination that is wrongly sure does not decide alone."""
NEARLY_ALL = 0.9
"""Share of the combinations that contradict the label of an image that is called a suspect."""


class Suspects(NamedTuple):
    """Images whose label is contradicted, the most doubtful label first.

    Attributes
    ----------
    rows : ndarray of int64, shape (s,)
        Positions of the images.
    suggested : ndarray of int64, shape (s,)
        Most probable class.
    own, other : ndarray of float64, shape (s,)
        Pooled probability of the label and of the suggested class.
    against : ndarray of float64, shape (s,)
        Share of the combinations (and repeats) that predict another class than the label.
    """

    rows: Integers
    suggested: Integers
    own: Floats
    other: Floats
    against: Floats


@dataclass
class Pool:
    """The probabilities of several combinations as one, added one at a time.

    The pool is the geometric mean, in which no combination that gives rounder probabilities than others counts less,
    as in the arithmetic mean. Every image is predicted by models that saw neither it nor its group: copies of one image
    and images of one patient do not vouch for each other's label.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    classes : int

    References
    ----------
    Genest, Zidek: Combining probability distributions. Statistical Science 1 (1986) 114-135 (logarithmic pool);
    Northcutt, Jiang, Chuang: Confident learning. Journal of Artificial Intelligence Research 70 (2021) 1373-1411.
    """

    labels: Integers
    classes: int
    added: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._logs = np.zeros((len(self.labels), self.classes))
        self._against = np.zeros(len(self.labels))

    def add(self, probabilities: Floats) -> None:
        """Add a combination: out-of-fold probabilities of shape (repeats, n, classes)."""
        self.added += 1
        self._logs += np.log(np.maximum(probabilities, _LEAST)).mean(axis=0)
        self._against += (probabilities.argmax(axis=2) != self.labels).mean(axis=0)

    def probabilities(self) -> Floats:
        """Of the pool, shape (n, classes)."""
        means = np.exp(self._logs / max(self.added, 1))
        return np.asarray(means / means.sum(axis=1, keepdims=True))

    def suspects(self) -> Suspects:
        """Images that the pool predicts another class for than their label."""
        probabilities = self.probabilities()
        own = probabilities[np.arange(len(self.labels)), self.labels]
        suggested = probabilities.argmax(axis=1)
        ranked = np.argsort(own, kind="stable")
        rows = ranked[suggested[ranked] != self.labels[ranked]]
        other = probabilities[rows, suggested[rows]]
        return Suspects(rows, suggested[rows], own[rows], other, self._against[rows] / max(self.added, 1))
