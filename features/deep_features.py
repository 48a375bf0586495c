"""Deep features as a scikit-learn transformer: paths in, vectors out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..errors import ImagesError, UnreadableImageError
from ..images.identification import image_id_of
from ..images.limits import FIX
from ..machine import cores
from .cache import FeatureCache
from .extraction import extract_to, feature_names
from .extractors import make_extractor


class DeepFeatures(TransformerMixin, BaseEstimator):
    """Features of a pretrained network for image files, cached by the files' content.

    Nothing is learnt from the images: `fit` only locates the weights and the engine, so this step cannot leak.

    Parameters
    ----------
    network : str
        One of ``leukobench list extractors``, or any network of ``keras.applications`` in lower case.
    weights : str, optional
        ``imagenet``, ``bundled``, ``random``, ``random:SEED`` or a path; by default the network's own.
    pooling : {"average", "max", "multilevel"}
    precision : {"float32", "bfloat16"}
    engine : {"auto", "openvino", "keras"}
    orientations : {1, 8}
        8 averages over the right-angled turns of an image and its mirror image.
    n_jobs : int, optional
        Cores; all by default.

    Attributes
    ----------
    description_ : str
        Weights and engine; random weights are called RANDOM.

    Examples
    --------
    >>> make_pipeline(DeepFeatures("mobilenetv2"), SVC(C=10)).fit(paths, labels)  # doctest: +SKIP
    """

    def __init__(
        self,
        network: str = "efficientnet_lite0",
        weights: str | None = None,
        pooling: str = "average",
        precision: str = "float32",
        engine: str = "auto",
        orientations: int = 1,
        n_jobs: int | None = None,
    ) -> None:
        self.network = network
        self.weights = weights
        self.pooling = pooling
        self.precision = precision
        self.engine = engine
        self.orientations = orientations
        self.n_jobs = n_jobs

    def fit(self, X: Sequence[str | os.PathLike[str]], y: Any = None) -> DeepFeatures:
        """Locate the weights and the engine; the images are not read.

        Raises
        ------
        ConfigurationError, WeightsError, EngineError
        """
        names = ("weights", "pooling", "precision", "engine", "orientations")
        parameters = {name: getattr(self, name) for name in names}
        self.extractor_ = make_extractor(self.network, parameters)
        self.description_ = self.extractor_.description
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "extractor_")

    def transform(self, X: Sequence[str | os.PathLike[str]]) -> NDArray[np.float32]:
        """Extract the features of the image files `X`.

        Parameters
        ----------
        X : sequence of path-like, length n

        Returns
        -------
        ndarray of float32, shape (n, features)

        Raises
        ------
        UnreadableImageError
            A file does not decode completely; the message names it.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        paths = [os.fspath(path) for path in np.asarray(X, dtype=object).ravel()]
        if not paths:
            raise ImagesError("There are no images to transform.", expected="at least one path", received="none")
        images = [(_identify(path), path) for path in paths]
        cache = FeatureCache.shared(self.extractor_.identity)
        threads = self.n_jobs or cores()
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "vectors.npy"
            refused = extract_to(target, self.extractor_, images, cache, threads)
            if refused:
                _refuse(images, refused)
            return np.load(target)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Feature names, made of pooling, stage and channel; empty before the first `transform`."""
        return np.asarray(feature_names(self.extractor_), dtype=object)


def _identify(path: str) -> str:
    image_id, reason = image_id_of(path)
    if reason:
        missing = reason.startswith("cannot be opened")
        raise UnreadableImageError(f"{path} cannot be read: {reason}.", received=path, fix="" if missing else FIX)
    return image_id


def _refuse(images: list[tuple[str, str]], refused: dict[str, str]) -> None:
    unreadable = [(path, refused[image_id]) for image_id, path in images if image_id in refused]
    raise UnreadableImageError(
        f"{len(unreadable)} of {len(images)} files are not readable images.",
        received="; ".join(f"{path}: {reason}" for path, reason in unreadable[:3]),
        fix="leave these files out, or repair them.",
    )
