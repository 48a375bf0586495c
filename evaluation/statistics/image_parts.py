"""Parts of the images that errors are counted in: by class, pair of classes, patient, and any fact about an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers
from .failures import Part

LABEL, PAIR, PATIENT = "label", "label and prediction", "patient"
LEAST_IMAGES = 5
"""In a part, and outside it: of fewer nothing could be said."""
_FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


@dataclass(frozen=True)
class Predicted:
    """What one combination predicts, and what is known of the images.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str
    predicted : ndarray of int64, shape (repeats, n)
    groups : ndarray of int64, shape (n,)
        Images of one patient and copies of one image share a number.
    contents : ndarray of int64, shape (n,)
        Copies of one image alone do.
    patients : ndarray of str, shape (n,)
        '' where unknown.
    numbers : mapping of str to ndarray of float64, shape (n,)
        Facts that are numbers, NaN where unknown.
    texts : mapping of str to ndarray of str, shape (n,)
        Facts that are texts, '' where unknown.
    """

    labels: Integers
    classes: tuple[str, ...]
    predicted: Integers
    groups: Integers
    contents: Integers
    patients: NDArray[np.str_]
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    texts: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    @property
    def errors(self) -> Floats:
        """Share of the repeats in which each image is wrong."""
        return np.asarray((self.predicted != self.labels).mean(axis=0))

    def expected(self, part: Part) -> float:
        """Share of errors of the images of a part if they were wrong as often as all images of their class."""
        sizes = np.bincount(self.labels, minlength=len(self.classes))
        rates = np.bincount(self.labels, self.errors, len(self.classes)) / np.maximum(sizes, 1)
        return float(rates[self.labels[part.inside]].mean())


def parts(images: Predicted) -> Iterator[Part]:
    """Yield every part with at least `LEAST_IMAGES` images inside and outside.

    Numbers are cut into fifths. Of three classes or more each pair is one: images of the first, compared with those of
    neither, and how often the second is predicted for them.
    """
    every = [_by_class(images), _by_patient(images)]
    every += [_of_numbers(fact, numbers, images) for fact, numbers in images.numbers.items()]
    every += [_of_texts(fact, texts, images) for fact, texts in images.texts.items()]
    for one in chain(*every):
        if min(one.inside.sum(), one.outside.sum()) >= LEAST_IMAGES:
            yield one


def _by_class(images: Predicted) -> Iterator[Part]:
    names = np.array(images.classes, dtype=str)
    yield from _of_texts(LABEL, names[images.labels], images)
    if len(names) < 3:
        return
    for one, name in enumerate(names):
        for other, called in enumerate(names):
            if one != other:
                inside = images.labels == one
                wrong = (images.predicted == other).mean(axis=0)
                outside = ~inside & (images.labels != other)
                yield Part(PAIR, f"{name} taken for {called}", inside, outside, wrong, images.groups)


def _by_patient(images: Predicted) -> Iterator[Part]:
    """Whether this patient is harder than the others: his own images are the evidence."""
    for one in _of_texts(PATIENT, images.patients, images):
        yield replace(one, units=images.contents)


def _of_texts(fact: str, texts: NDArray[np.str_], images: Predicted) -> Iterator[Part]:
    known, codes = np.unique(texts, return_inverse=True)
    counts = np.bincount(codes)
    for code in np.flatnonzero((known != "") & (counts >= LEAST_IMAGES)):
        inside = codes == code
        yield Part(fact, str(known[code]), inside, ~inside, images.errors, images.groups)


def _of_numbers(fact: str, numbers: Floats, images: Predicted) -> Iterator[Part]:
    known = np.isfinite(numbers)
    if not known.any():
        return
    edges = np.unique(np.quantile(numbers[known], [0.2, 0.4, 0.6, 0.8]))
    codes = np.where(known, np.searchsorted(edges, numbers, side="left"), -1)
    codes_present = np.unique(codes[known])
    for code in codes_present if len(codes_present) > 1 else ():
        inside = codes == code
        low, high = _short(numbers[inside].min()), _short(numbers[inside].max())
        ends = low if low == high else f"{low} to {high}"
        name = f"{_FIFTHS[code]}, {ends}" if len(codes_present) == len(_FIFTHS) else ends
        yield Part(fact, name, inside, known & ~inside, images.errors, images.groups)


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
