"""Agreement: how well the structures of two images agree, place by place, once one was laid on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..images.keypoints import content_mask, opencv

Floats = NDArray[np.float32]

_FINE, _COARSE = 1.2, 6.0  # pixels: what is smoother is light, what is finer is noise
_PLACE, _FULL = 24, 0.6  # pixels; share of a place that both images cover
_TEXTURE = 1.5  # grey values


def agreement(first: Floats, second: Floats, matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Compare two grey images where they overlap.

    Parameters
    ----------
    first, second : ndarray of float32, shape (height, width)
    matrix : ndarray, shape (2, 3)
        Maps columns and rows of the second to those of the first.

    Returns
    -------
    overlap : float
        Share of the first that content of both covers.
    agreement : float
        Median over all places of the correlation of their structures there: different images agree in their outlines,
        copies everywhere. 0 where hardly a place has any structure.
    """
    cv2 = opencv()
    height, width = first.shape
    laid = cv2.warpAffine(second, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    content = cv2.warpAffine(content_mask(second.astype(np.uint8)).astype(np.float32), matrix, (width, height))
    both = content_mask(first.astype(np.uint8)) * (content > 0.99)
    inside = cv2.erode(both.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    correlation, texture, share = _local(_structure(first) * inside, _structure(laid) * inside, inside)
    places = (share > _FULL) & (texture > _TEXTURE)
    enough = places.sum() > _PLACE
    return float(both.mean()), float(np.median(correlation[places])) if enough else 0.0


def _structure(grey: Floats) -> Floats:
    cv2 = opencv()
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (_FINE, _COARSE))
    return np.asarray(fine - coarse)


def _local(first: Floats, second: Floats, inside: Floats) -> tuple[Floats, Floats, Floats]:
    """Around each pixel: correlation, the larger standard deviation, and the share of pixels that are inside."""
    cv2 = opencv()

    def mean(values: Floats) -> Floats:
        size = (_PLACE, _PLACE)
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, size, borderType=cv2.BORDER_CONSTANT))

    share = mean(inside)
    weight = np.maximum(share, 1e-3)
    one, other = mean(first) / weight, mean(second) / weight
    spread_one = np.maximum(mean(first * first) / weight - one * one, 0)
    spread_other = np.maximum(mean(second * second) / weight - other * other, 0)
    together = mean(first * second) / weight - one * other
    correlation = together / np.sqrt(np.maximum(spread_one * spread_other, 1e-6))
    return correlation, np.sqrt(np.maximum(spread_one, spread_other)), share
