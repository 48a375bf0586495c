"""Large data: classifiers that are too slow for many images are replaced by the variants that they declare.

scikit-learn's documentation of `sklearn.svm.SVC` recommends the shipped variants for large data.
"""

from __future__ import annotations

from . import CLASSIFIERS

MOST_IMAGES = 20_000
"""Above this number of images, a classifier that has a variant is replaced by it."""


def needs_variants(policy: str, images: int) -> bool:
    """Whether variants are fitted to this number of images; `policy` is ``"variants"``, ``"exact"`` or ``"always"``."""
    return policy == "always" or (policy == "variants" and images > MOST_IMAGES)


def variant_of(classifier: str) -> str:
    """Name of the variant that the classifier of this name declares, or the name itself."""
    return getattr(CLASSIFIERS.get(classifier), "large_data_variant", "") or classifier
