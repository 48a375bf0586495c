"""What a user might bring: an extractor, a selector and classifiers, well-behaved and not."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.naive_bayes import GaussianNB

from leukobench.registry import declares


class Colours:
    """Mean and standard deviation of each colour channel; counts the images that it sees in ``$COUNT_FILE``."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def transform(self, images: list[np.ndarray]) -> np.ndarray:
        if counter := os.environ.get("COUNT_FILE"):
            with open(counter, "a") as file:
                file.write("x" * len(images))
        rows = [np.concatenate([i.mean(axis=(0, 1)), i.std(axis=(0, 1))]) for i in images]
        return self.scale * np.asarray(rows, dtype=np.float32)


class NotANumber(Colours):
    """Gives NaN."""

    def transform(self, images: list[np.ndarray]) -> np.ndarray:
        return np.full((len(images), 3), np.nan, dtype=np.float32)


class Raises(Colours):
    """Has a mistake."""

    def transform(self, images: list[np.ndarray]) -> np.ndarray:
        return np.ones(len(images)) / (1 // 0)


@declares(search_space={})
def best_two(k: int = 2) -> SelectKBest:
    """A selector made by a function; counts its fits in ``$FIT_FILE``."""
    return CountingSelector(f_classif, k=k)


class CountingSelector(SelectKBest):
    """SelectKBest that counts its fits."""

    def fit(self, X: Any, y: Any = None) -> CountingSelector:
        if counter := os.environ.get("FIT_FILE"):
            with open(counter, "a") as file:
                file.write("x")
        return super().fit(X, y)


class FailsInOneFold(GaussianNB):
    """Raises where the training part has `rows` rows; everywhere by default."""

    def __init__(self, rows: int = -1) -> None:
        super().__init__()
        self.rows = rows

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> FailsInOneFold:
        if self.rows in (-1, len(X)):
            raise RuntimeError("this classifier fails on demand")
        return super().fit(X, y)


class NeedsGroups(GaussianNB):
    """Splits its training part once more, and so asks for groups."""

    def fit(self, X: Any, y: Any, groups: Any = None) -> NeedsGroups:
        if groups is None or len(groups) != len(X):
            raise ValueError("no group for each image")
        return super().fit(X, y)


class KillsItsProcess(GaussianNB):
    """Dies as a process does when memory runs out."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> KillsItsProcess:
        os.kill(os.getpid(), signal.SIGKILL)
        return self


class SleepsInC(GaussianNB):
    """Never ends, in compiled code that holds Python's lock."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SleepsInC:
        ctypes.PyDLL(None).sleep(10_000)
        return self


class EatsMemory(GaussianNB):
    """Allocates without end."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> EatsMemory:
        eaten = []
        while True:
            eaten.append(np.ones(5_000_000))


class Slow(GaussianNB):
    """Takes a while, so that a test can kill the run in the middle."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Slow:
        time.sleep(0.3)
        return super().fit(X, y)


class Votes(ClassifierMixin, BaseEstimator):
    """A classifier without probabilities: nearest class mean by `decision_function`."""

    def fit(self, X: Any, y: Any) -> Votes:
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == c].mean(axis=0) for c in self.classes_])
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        return -np.linalg.norm(X[:, None] - self.means_[None], axis=2)

    def predict(self, X: Any) -> np.ndarray:
        return self.classes_[self.decision_function(X).argmax(axis=1)]


class PixelMeans(ClassifierMixin, BaseEstimator):
    """A network for the runner: sees pixels, decides by the nearest mean colour; `end` says how `fit` ends."""

    input_size = (8, 8)

    def __init__(self, end: str = "well", rows: int = -1) -> None:
        self.end = end
        self.rows = rows

    def fit(self, X: Any, y: Any, report: Any = None) -> PixelMeans:
        if counter := os.environ.get("FIT_FILE"):
            with open(counter, "a") as file:
                file.write("x")
        for done in (0.25, 0.5):
            if report:
                report({"done": done, "phase": "looking", "epoch": int(4 * done), "epochs": 4, "loss": 1 - done})
                time.sleep(0.7 * (self.end == "slowly"))
        if self.rows in (-1, len(X)):
            if self.end == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.end == "raise":
                raise RuntimeError("this network fails on demand")
            if self.end == "never":
                report({"done": 0.6, "phase": "waiting"})
                re.match("(a|a)*b", "a" * 60)  # and holds Python's lock
            if self.end == "wait":
                for _ in range(200):
                    time.sleep(0.1)
                    report({"done": 0.6, "phase": "waiting"})
        if report and self.end in ("no done", "odd loss"):
            report(
                {"phase": "looking"} if self.end == "no done" else {"done": 0.6, "phase": "x", "epoch": 1, "loss": None}
            )
            time.sleep(1.2)
        if self.end == "odd curve":
            self.curve_ = np.zeros(3)
        colours = self._colours(X)
        self.classes_ = np.unique(y)
        self.means_ = np.stack([colours[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        near = np.exp(-np.linalg.norm(self._colours(X)[:, None] - self.means_[None], axis=2) / 10)
        return near / near.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @staticmethod
    def _colours(X: Any) -> np.ndarray:
        return np.stack([np.asarray(X[np.array([k])], float)[0].mean(axis=(0, 1)) for k in range(len(X))])


class OnlyPredicts(ClassifierMixin, BaseEstimator):
    """The class whose mean is nearest: no probabilities, no decisions."""

    def fit(self, X: Any, y: Any) -> OnlyPredicts:
        self.classes_ = np.unique(y)
        self.means_ = np.stack([np.asarray(X)[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, X: Any) -> np.ndarray:
        distances = np.linalg.norm(np.asarray(X)[:, None] - self.means_, axis=2)
        return self.classes_[distances.argmin(axis=1)]


class First(TransformerMixin, BaseEstimator):
    """The first features."""

    def __init__(self, n: int = 2) -> None:
        self.n = n

    def fit(self, X: Any, y: Any = None) -> First:
        self.columns_ = np.arange(self.n)
        return self

    def transform(self, X: Any) -> np.ndarray:
        return np.asarray(X)[:, self.columns_]
