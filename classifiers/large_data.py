"""Large data: which classifiers cannot be fitted to very many images, and what is fitted in their place."""

from __future__ import annotations

MOST_IMAGES = 20_000
"""Images beyond which a classifier in `VARIANTS` gives way."""

VARIANTS = {"svm_linear": "svm_linear_primal", "svm_rbf": "svm_rbf_nystroem"}
"""Classifier whose cost grows at least with the square of the number of images -> its variant whose cost does not.

The variants are those that scikit-learn's documentation of `sklearn.svm.SVC` names for large data.
"""


def needs_variants(said: str, images: int) -> bool:
    """Whether variants are fitted to so many images; `said` is ``"variants"``, ``"exact"`` or ``"always"``."""
    return said == "always" or (said == "variants" and images > MOST_IMAGES)
