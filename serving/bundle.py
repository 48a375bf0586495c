"""The bundle: one artefact that answers for a new image, without network, TensorFlow or the training images."""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError, ConfigurationError, LeukobenchError, UnreadableImageError
from ..features.extraction import read_ahead
from ..machine import cores
from .conformal import Calibration, sets
from .container import Contents, arrays, read_bundle
from .estimators import from_bytes
from .manifest import check_manifest
from .prediction import Image, Prediction, Predictions, Upload, image_bytes, name_of
from .reference import Reference
from .served_network import ServedNetwork, moved
from .temperature import tempered

if TYPE_CHECKING:
    from .explanation import Explainer, Explanation

DEFAULT_LEVEL = 0.95
TOLERANCE = 1e-6
_NETWORK_TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
_CHUNK = 256


def load(path: str | Path, digest: str | None = None, threads: int | None = None) -> Bundle:
    """Open a bundle that `leukobench fit` made.

    Every byte is verified first, then its estimators are rebuilt from a short list of types, and what it computes for a
    fixed picture and a few stored vectors is compared with what it computed where it was made.

    Parameters
    ----------
    path : path-like
        Folder or zip.
    digest : str, optional
        SHA-256 (hex) that `leukobench fit` said; another bundle is refused.
    threads : int, optional
        Cores to use; all by default.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        It is absent, damaged, changed, foreign, too new, or computes other numbers on this machine.
    EngineError
        OpenVINO is absent, or the processor lacks what the network needs.
    """
    threads = threads or cores()
    contents = read_bundle(Path(path).expanduser(), digest)
    try:
        return Bundle(contents, threads)
    except LeukobenchError:
        raise
    except Exception as error:  # whatever a made-up manifest makes us trip over
        raise BundleError(
            f"The bundle {path} cannot be used.",
            received=f"{type(error).__name__}: {error}",
            fix="make it again with `leukobench fit`.",
        ) from error


class Bundle:
    """A verified bundle, ready to answer; several threads may ask at once. See `load`.

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
        Levels of conformal sets whose coverage was checked.
    """

    def __init__(self, contents: Contents, threads: int) -> None:
        said, file = contents.manifest, contents.file
        check_manifest(said)
        self._network = ServedNetwork.of(said["network"], file("network.xml"), file("network.bin"))
        self._open = contextlib.ExitStack()
        with ThreadPoolExecutor(1) as beside:  # the network is compiled while scikit-learn is imported
            opening = beside.submit(lambda: self._open.enter_context(self._network.open(threads)))
            self._selector = from_bytes(file("selector.skops"), "selector")
            self._classifier = from_bytes(file("classifier.skops"), "classifier")
            self._engine = opening.result()
        self.facts: dict[str, Any] = dict(said)
        self.classes: tuple[str, ...] = tuple(map(str, said["classes"]))
        self.card = file("model_card.md").decode("utf-8")
        self.digest = contents.digest
        self.levels: tuple[float, ...] = tuple(float(row["level"]) for row in said["coverage"])
        self.reference = Reference.from_bytes(file("reference.npz"))
        self._temperature = float(said["temperature"]["value"])
        self._threads = threads
        self._contents = contents
        stored = arrays(file("calibration.npz"))
        self._calibration = Calibration(stored["scores"], stored["labels"], stored["groups"], len(self.classes))
        self._calibration.check()
        self._trained_on = frozenset(stored["image_ids"].tolist())
        self._check_numbers()

    @property
    def name(self) -> str:
        """Name of the run that it came from."""
        return str(self.facts["name"])

    @property
    def title(self) -> str:
        """``"extractor x selector x classifier"``."""
        said = self.facts["combination"]
        return f"{said['extractor']} x {said['selector']} x {said['classifier']}"

    def predict(
        self,
        images: Sequence[Image],
        *,
        groups: Sequence[str] | None = None,
        level: float = DEFAULT_LEVEL,
        calibrated: bool = True,
        progress: Callable[[str, int], AbstractContextManager[Any]] | None = None,
    ) -> Predictions:
        """Say of each image what it shows, how sure that is, and whether it is like the training images.

        An image that cannot be read has its reason in ``error``, and the others are answered.

        Parameters
        ----------
        images : sequence of path-like or Upload
        groups : sequence of str, optional
            Patient of each image; '' is none.
        level : float
            Between 0 and 1: how often the conformal set is to hold the right class.
        calibrated : bool
            False gives the probabilities as the benchmark computes them, before the bundle's temperature.
        progress : Progress, optional
            Such as `leukobench.runs.progress.on_screen` gives.

        Returns
        -------
        Predictions
            In the order of the images.

        Raises
        ------
        ConfigurationError
            The level is impossible, or groups are not as many as images.
        """
        images, level = list(images), _checked_level(level)
        if groups is not None and len(groups) != len(images):
            raise ConfigurationError(
                "Every image needs a group, which may be ''.", expected=f"{len(images)}", received=f"{len(groups)}"
            )
        rows: list[Prediction] = [Prediction("")] * len(images)
        with contextlib.nullcontext(_quietly) if progress is None else progress("reading images", len(images)) as told:
            for place, row in self._stream(images, level, calibrated):
                rows[place] = row
                told(1)
        facts = {"name": self.name, "combination": self.title, "digest": self.digest, "calibrated": calibrated}
        found = Predictions(rows, self.classes, level, facts)
        return found if groups is None else found.with_groups([str(group) for group in groups])

    def explain(self, image: Image, *, level: float = DEFAULT_LEVEL, method: str = "auto") -> Explanation:
        """Show what moved the decision for one image; see `leukobench.serving.explanation`.

        Parameters
        ----------
        image : path-like or Upload
        level : float
            As for `predict`.
        method : {"auto", "occlusion", "cam"}
            "auto" takes the class activation map where it is exact, else occlusion.

        Raises
        ------
        UnreadableImageError
            It does not decode completely.
        ConfigurationError
            The level is impossible, or there is no such method for this bundle.
        """
        level = _checked_level(level)
        return self._explainer.explain(Upload(name_of(image), image_bytes(image)), level, method)

    @cached_property
    def _explainer(self) -> Explainer:
        from .decision_margin import Margin
        from .explanation import Explainer

        margin = Margin(self._selector, self._classifier, self._temperature)
        return Explainer(self, self._network, margin, self._contents, self._threads)

    def read(self, image: Image) -> tuple[str, NDArray[np.uint8]]:
        """Image id, and pixels as the network gets them.

        Raises
        ------
        UnreadableImageError
        """
        data = image_bytes(image)
        return hashlib.sha256(data).hexdigest(), self._network.read(data)

    def vectors(self, pixels: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Features of images that `read` read, as they come."""
        return self._engine.vectors(pixels)

    def probabilities(self, vectors: NDArray[np.float32], calibrated: bool = True) -> NDArray[np.float64]:
        """Probabilities of all classes, shape (n, classes), from features, shape (n, features)."""
        reduced = self._selector.transform(vectors.astype(np.float64))
        found = np.zeros((len(vectors), len(self.classes)))
        found[:, self._classifier.classes_.astype(int)] = self._classifier.predict_proba(reduced)
        return tempered(found, self._temperature) if calibrated else found

    def _stream(self, images: Sequence[Image], level: float, calibrated: bool) -> Iterator[tuple[int, Prediction]]:
        """Predictions as they are ready, with their places; images that cannot be read come first."""
        accepted: deque[tuple[int, str]] = deque()
        refused: deque[tuple[int, Prediction]] = deque()
        vectors = self.vectors(self._readable(images, accepted, refused))
        thresholds = self._calibration.thresholds(level)
        while chunk := list(islice(vectors, _CHUNK)):
            places = [accepted.popleft() for _ in chunk]
            yield from self._answers(np.stack(chunk), places, images, thresholds, calibrated)
        yield from refused

    def _readable(
        self,
        images: Sequence[Image],
        accepted: deque[tuple[int, str]],
        refused: deque[tuple[int, Prediction]],
    ) -> Iterator[NDArray[np.uint8]]:
        for place, found in read_ahead(range(len(images)), lambda place: self._tried(images[place]), self._threads):
            if isinstance(found, Prediction):
                refused.append((place, found))
            else:
                accepted.append((place, found[0]))
                yield found[1]

    def _tried(self, image: Image) -> tuple[str, NDArray[np.uint8]] | Prediction:
        name, image_id = name_of(image), ""
        try:
            data = image_bytes(image)
            image_id = hashlib.sha256(data).hexdigest()
            return image_id, self._network.read(data)
        except UnreadableImageError as error:
            return Prediction(name, image_id, error=error.what)

    def _answers(
        self,
        vectors: NDArray[np.float32],
        places: Sequence[tuple[int, str]],
        images: Sequence[Image],
        thresholds: NDArray[np.float64],
        calibrated: bool,
    ) -> Iterator[tuple[int, Prediction]]:
        raw = self.probabilities(vectors, calibrated=False)
        own, labels = tempered(raw, self._temperature), raw.argmax(axis=1)
        shown, inside = own if calibrated else raw, sets(own, thresholds)
        inside[np.arange(len(labels)), labels] = True  # where two classes are equally probable
        scores, shares = self.reference.scores(vectors)
        rare = self.reference.rare(shares)
        for row, (place, image_id) in enumerate(places):
            yield (
                place,
                Prediction(
                    name_of(images[place]),
                    image_id,
                    self.classes[int(labels[row])],
                    dict(zip(self.classes, shown[row].tolist(), strict=True)),
                    tuple(name for name, held in zip(self.classes, inside[row], strict=True) if held),
                    float(scores[row]),
                    float(shares[row]),
                    bool(rare[row]),
                    image_id in self._trained_on,
                ),
            )

    def _check_numbers(self) -> None:
        """Compare a fixed picture and a few vectors with what they gave where the bundle was made."""
        stored = arrays(self._contents.file("check.npz"))
        vectors, expected, pattern = stored["vectors"], stored["probabilities"], stored["pattern"]
        found = next(self.vectors(iter([self._network.pattern()])))
        apart = moved(found, pattern)
        differ = float(np.abs(self.probabilities(vectors, calibrated=False) - expected).max())
        limit = _NETWORK_TOLERANCE[self._network.precision]
        if not (apart <= limit and differ <= TOLERANCE):
            raise BundleError(
                "The bundle computes other numbers on this machine than where it was made.",
                expected=f"vectors within {limit:g} (relative), probabilities within {TOLERANCE:g}",
                received=f"{apart:.2g} and {differ:.2g}; made with {_versions(self.facts)}",
                fix="install the versions that it was made with, or make it again here with `leukobench fit`.",
            )


def _checked_level(level: float) -> float:
    if not isinstance(level, int | float) or not 0 < level < 1:
        raise ConfigurationError("The level is impossible.", expected="a number between 0 and 1", received=repr(level))
    return float(level)


def _quietly(done: float, words: str = "") -> None:
    """No progress at all."""


def _versions(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in facts["software"].items())
