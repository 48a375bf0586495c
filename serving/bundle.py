"""The bundle: one artefact that predicts new images, without network access, TensorFlow or the training images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError, ConfigurationError, LeukobenchError, UnreadableImageError
from ..machine import Progress, cores
from ..runs.notebook import block
from ..runs.progress import silent
from ..storage import user_path
from .conformal import ConformalScores
from .container import Contents, read_bundle
from .fitted_model import FittedModel
from .image_input import AnyImage, Upload, as_images, image_bytes, name_of
from .manifest_checks import check_manifest
from .named_code import from_manifest, import_allowed
from .prediction import Prediction, Predictions
from .predictor import Predictor
from .served_code import ServedCode
from .served_network import ServedNetwork
from .training_facts import TrainingFacts
from .training_reference import TrainingReference

if TYPE_CHECKING:
    from .explanation import Explainer, Explanation

DEFAULT_LEVEL = 0.95


def load(
    path: str | Path, digest: str | None = None, threads: int | None = None, allow_code: str | Sequence[str] = ()
) -> Bundle:
    """Open a bundle that `leukobench fit` made.

    Every byte is verified first, then its estimators are rebuilt from a short list of types, and what it computes for a
    fixed image and a few stored vectors is compared with what it computed where it was made.

    Parameters
    ----------
    path : path-like
        Folder or zip.
    digest : str, optional
        SHA-256 (hex) that `leukobench fit` printed; another bundle is refused.
    threads : int, optional
        Cores to use; all by default.
    allow_code : str or sequence of str
        Modules (names, or paths of their files) that may be imported if the bundle names them, with the digest that it
        names: see `leukobench.serving.named_code`.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        It is absent, damaged, changed, foreign, too new, computes other numbers on this machine, or needs code that is
        not allowed.
    EngineError
        OpenVINO is absent, or the processor lacks what the network needs.
    """
    threads = threads or cores()
    contents = read_bundle(user_path(path), digest)
    try:
        return Bundle(contents, threads, [allow_code] if isinstance(allow_code, str) else allow_code)
    except LeukobenchError:
        raise
    except Exception as error:  # whatever a made-up manifest makes us trip over
        raise BundleError(
            f"The bundle {path} cannot be used.",
            received=f"{type(error).__name__}: {error}",
            fix="make it again with `leukobench fit`.",
        ) from error


class Bundle:
    """A verified bundle, ready to predict; several threads may use it at once. See `load`.

    Attributes
    ----------
    classes : tuple of str
    facts : dict
        The manifest: combination, scores with intervals, protocol, verdicts, checked coverage, versions.
    card : str
        The model card, Markdown.
    digest : str
        SHA-256 (hex) over everything in it.
    levels : tuple of float
        Levels of prediction sets whose coverage was checked.
    """

    def __init__(self, contents: Contents, threads: int, allow_code: Sequence[str] = ()) -> None:
        check_manifest(contents.manifest)
        self._contents = contents
        code = from_manifest(contents.manifest.get("code", []))
        import_allowed(code, allow_code)
        self._model = FittedModel(contents, threads, code)
        self._predictor = Predictor(self._model, contents)
        self.facts: dict[str, Any] = dict(contents.manifest)
        self.classes = self._model.classes
        self.card = contents.file("model_card.md").decode("utf-8")
        self.digest = contents.digest
        self.levels: tuple[float, ...] = tuple(float(row["level"]) for row in self.facts["coverage"])
        self._model.check(contents)

    @property
    def name(self) -> str:
        """Name of the run that it came from."""
        return str(self.facts["name"])

    @property
    def title(self) -> str:
        """``"extractor x selector x classifier"``."""
        names = self.facts["combination"]
        return f"{names['extractor']} x {names['selector']} x {names['classifier']}"

    def __repr__(self) -> str:
        return "\n".join([f"Bundle({self.name!r}, classes={self.classes!r})", self.title, *self.facts["sentences"]])

    def _repr_html_(self) -> str:
        """What it is and what to know first, for a notebook."""
        what = f"{self.title}; classes: {', '.join(self.classes)}; research use only: not a medical device"
        return block(f"Bundle: {self.name}", [what, *self.facts["sentences"]])

    def predict(
        self,
        images: AnyImage | Iterable[AnyImage],
        *,
        groups: Sequence[str] | None = None,
        level: float = DEFAULT_LEVEL,
        calibrated: bool = True,
        progress: Progress = silent,
    ) -> Predictions:
        """Predict the class of each image, how sure that is, and whether the image is like the training images.

        An image that cannot be read has its reason in ``error``; the others are predicted.

        Parameters
        ----------
        images : one image, or several
            Paths, bytes of image files, uint8 pixels of shape (H, W), (H, W, 3) or (H, W, 4), or Pillow images. Those
            in memory are called ``image 1``, ``image 2`` ...; their ``image_id`` is not that of a file.
        groups : sequence of str, optional
            Patient of each image; '' is none.
        level : float
            Between 0 and 1: how often the prediction set is to contain the true class.
        calibrated : bool
            False gives the probabilities as the benchmark computes them, before the bundle's temperature.
        progress : Progress
            Such as `leukobench.runs.progress.on_screen` gives.

        Returns
        -------
        Predictions
            In the order of the images.

        Raises
        ------
        ConfigurationError
            The level is impossible, something is no image, or groups are not as many as images.
        ExtractionError
            The extractor gave numbers that are not finite, or not one vector an image.
        """
        named, level = as_images(images), _check_level(level)
        if groups is not None and len(groups) != len(named):
            raise ConfigurationError(
                "Every image needs a group, which may be ''.", expected=f"{len(named)}", received=f"{len(groups)}"
            )
        rows = [Prediction("")] * len(named)
        with progress("reading images", len(named)) as advance:
            for position, row in self._predictor.stream(named, level, calibrated):
                rows[position] = row
                advance(1)
        facts = {"name": self.name, "combination": self.title, "digest": self.digest, "calibrated": calibrated}
        predictions = Predictions(rows, self.classes, level, facts)
        return predictions if groups is None else predictions.with_groups([str(group) for group in groups])

    def predict_proba(self, images: AnyImage | Iterable[AnyImage]) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n, classes), in the order of `classes`; see `predict`.

        Raises
        ------
        UnreadableImageError
            One of the images cannot be read: `predict` gives the others.
        """
        predictions = self.predict(images)
        if unreadable := [row for row in predictions if row.error]:
            raise UnreadableImageError(f"{unreadable[0].image}: {unreadable[0].error}")
        rows = [[row.probabilities[name] for name in self.classes] for row in predictions]
        return np.array(rows, dtype=np.float64).reshape(-1, len(self.classes))

    def explain(self, image: AnyImage, *, level: float = DEFAULT_LEVEL, method: str = "auto") -> Explanation:
        """Show which regions of one image moved its prediction; see `leukobench.serving.explanation`.

        Parameters
        ----------
        image : path, bytes, uint8 pixels or Pillow image
            As for `predict`.
        level : float
            As for `predict`.
        method : {"auto", "occlusion", "cam"}
            "auto" takes the class activation map where it is exact, else occlusion.

        Raises
        ------
        UnreadableImageError
            The image does not decode completely.
        ConfigurationError
            The level is impossible, or there is no such method for this bundle.
        """
        level = _check_level(level)
        (named,) = as_images([image])
        return self._explainer.explain(Upload(name_of(named), image_bytes(named)), level, method)

    @cached_property
    def _explainer(self) -> Explainer:
        from .explanation import Explainer

        return Explainer(self._predictor, self._contents)

    def read(self, image: AnyImage) -> tuple[str, NDArray[np.uint8]]:
        """Image id, and pixels as the network gets them.

        Raises
        ------
        UnreadableImageError
        """
        (named,) = as_images([image])
        data = image_bytes(named)
        return hashlib.sha256(data).hexdigest(), self._model.network.read(data)

    def vectors(self, pixels: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Features of images that `read` read, as they come."""
        return self._model.vectors(pixels)

    @property
    def network(self) -> ServedNetwork | ServedCode:
        """What turns images into features."""
        return self._model.network

    @cached_property
    def training_facts(self) -> TrainingFacts:
        """Out-of-fold predictions and quantiles of measurements of the training images.

        Raises
        ------
        BundleError
            They do not fit together.
        """
        try:
            return TrainingFacts.of(self._contents)
        except (ValueError, KeyError, AttributeError) as error:
            raise BundleError(f"The bundle of {self.name} is damaged.", received=str(error)) from error

    @property
    def reference(self) -> TrainingReference:
        """What the training images look like to the network."""
        return self._predictor.reference

    @property
    def conformal_scores(self) -> ConformalScores:
        """From which thresholds of prediction sets are computed."""
        return self._predictor.conformal_scores

    def probabilities(self, vectors: NDArray[np.float32], calibrated: bool = True) -> NDArray[np.float64]:
        """Probabilities of all classes, shape (n, classes), from features, shape (n, features)."""
        return self._model.probabilities(vectors, calibrated)


def _check_level(level: float) -> float:
    if not isinstance(level, int | float) or not 0 < level < 1:
        raise ConfigurationError(
            "The coverage level is out of range.", expected="a number between 0 and 1", received=repr(level)
        )
    return float(level)
