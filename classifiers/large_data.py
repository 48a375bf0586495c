"""Large data: classifiers that are too slow for many images, and their replacements."""

from __future__ import annotations

MOST_IMAGES = 20_000
"""Above this number of images, classifiers in `VARIANTS` are replaced."""

VARIANTS = {"svm_linear": "svm_linear_primal", "svm_rbf": "svm_rbf_nystroem"}
"""Classifier whose cost grows at least with the square of the number of images -> its faster variant.

scikit-learn's documentation of `sklearn.svm.SVC` recommends these variants for large data.
"""


def needs_variants(policy: str, images: int) -> bool:
    """Whether variants are fitted to this number of images; `policy` is ``"variants"``, ``"exact"`` or ``"always"``."""
    return policy == "always" or (policy == "variants" and images > MOST_IMAGES)
