"""What all trained networks share: parameters, the way from labels to a trained network, and predictions."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ...networks.build import keras_settings
from ...networks.frameworks import configured_backend, load_keras, package_version, settle_keras
from ...storage import digest, file_digest
from .augmentation import Augmentation
from .balancing import balanced_examples
from .batches import predict_in_batches
from .checkpoint import Checkpoint
from .inputs import encoded, inner_split, row_count, seed_of
from .training import Data, Report, Settings, Training

_SAMPLED = 64
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "torch": ("torch",), "jax": ("jax",)}


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: what there is to learn from, and where it is kept and told.

    Attributes
    ----------
    inputs : array-like, shape (n, ...)
    labels : ndarray of int, shape (n,)
        Positions among the classes.
    train, validation : ndarray of int
        Rows.
    seed, threads : int
    checkpoint : Checkpoint
    report : callable
    """

    inputs: Any
    labels: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    seed: int
    threads: int
    checkpoint: Checkpoint
    report: Report


class NetworkClassifier(ClassifierMixin, BaseEstimator, ABC):
    """A network trained by gradient descent, with early stopping on a grouped inner split.

    Subclasses store their parameters, take `_as_inputs` and `_train` upon themselves, and share the rest.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden": [Interval(Integral, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "validation": [Interval(Real, 0, 0.5, closed="both")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "oversample": [StrOptions({"random", "smote"}), None],
        "n_jobs": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left"), None],
    }

    def depends_on(self) -> dict[str, Any]:
        """What the numbers depend on beside the parameters: code, Keras and its backend; weights are found here.

        Raises
        ------
        LeukobenchError
            Weights are absent, or Keras is.
        """
        backend = configured_backend() or "none"
        own = Path(__file__).parent
        files = [*own.glob("*.py"), *(own.parents[1] / "networks").glob("*.py")]
        found = {name: package_version(name) for name in ("keras", *_DISTRIBUTIONS.get(backend, ()))}
        return found | {"code": digest([file_digest(path) for path in sorted(files)])[:16]}

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        checkpoint: Path | None = None,
        report: Report | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n, ...)
            See the class.
        y : array-like, shape (n,)
        groups : array-like, shape (n,), optional
            Inputs of one group (patient) never stand on both sides of the inner split.
        checkpoint : Path, optional
            Beside it, under a name that says what is trained, a file is written after each epoch; a call with the same
            inputs and parameters goes on from it.
        report : callable, optional
            Told several times a second how far it is; see `Training`.

        Raises
        ------
        ValueError
            Inputs and labels do not fit together.
        TrainingError
            The loss is no number any more.
        """
        self._validate_params()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        inputs = self._as_inputs(X, fitting=True)
        row_count(inputs, np.asarray(y))
        self.classes_, labels = encoded(y)
        seed = seed_of(self.random_state)
        train, validation = inner_split(labels, groups, self.validation, seed)
        keras = load_keras()
        settle_keras(self.n_jobs)
        said = {name: value for name, value in self.get_params().items() if name not in ("n_jobs", "random_state")}
        learnt = [labels.tolist(), train.tolist(), _seen(inputs)]
        identity = digest([type(self).__name__, repr(said), seed, self.depends_on(), learnt])
        kept = Checkpoint(checkpoint and checkpoint.with_suffix(f".{identity[:8]}.npz"), identity)
        found = kept.load()
        self.seconds_before_ = sum(e["seconds"] for e in found[0]["before"] + found[0]["curve"]) if found else 0.0
        with keras_settings(keras):
            self.curve_: list[dict[str, Any]] = []
            fit = Fit(inputs, labels, train, validation, seed, self.n_jobs, kept, report or (lambda said: None))
            self.model_ = self._train(keras, fit)
        predict_in_batches(self.model_, inputs, train[:1], min(self.batch_size, len(train)))  # compiles what predicts
        self.parameters_ = int(self.model_.count_params())
        self.n_iter_ = len(self.curve_)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities, shape (n, classes)."""
        check_is_fitted(self, "model_")
        inputs = self._as_inputs(X)
        return predict_in_batches(self.model_, inputs, np.arange(len(inputs)), min(self.batch_size, len(inputs)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable classes, shape (n,)."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])

    @abstractmethod
    def _as_inputs(self, X: Any, fitting: bool = False) -> Any:
        """What is trained on and predicted, checked."""

    @abstractmethod
    def _train(self, keras: Any, fit: Fit) -> Any:
        """A trained ``keras.Model``."""

    def _phase(
        self, keras: Any, model: Any, fit: Fit, settings: Settings, inputs: Callable[[], Any], augment: Any = False
    ) -> None:
        """Train `model` on `inputs`, which are asked for only where no later phase has begun."""
        found = fit.checkpoint.load()
        if found and found[0]["stage"] > settings.stage:
            self.curve_ = found[0]["before"]
            return
        loss = "binary_crossentropy" if model.output.shape[-1] == 1 else "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.Adam(settings.learning_rate), loss)
        numbers = inputs()
        weights = self._weight_of_codes()
        examples = balanced_examples(numbers, fit.labels, fit.train, self.oversample, weights, fit.seed)
        data = Data(numbers, examples, fit.validation, fit.labels, Augmentation.of(augment))
        training = Training(model, data, settings, fit.checkpoint, self.curve_, fit.report)
        self.curve_ = self.curve_ + training.run()

    def _settings(self, fit: Fit, phase: str, stage: int = 0, **other: Any) -> Settings:
        """The parameters as settings of one phase; `other` ones win."""
        said = {"epochs": self.epochs, "learning_rate": self.learning_rate, "patience": self.patience}
        return Settings(phase, stage, batch_size=self.batch_size, seed=fit.seed, threads=fit.threads, **(said | other))

    def _weight_of_codes(self) -> Any:
        """Class weights by position among the classes."""
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        known = self.classes_.tolist()
        unknown = [label for label in self.class_weight if label not in known]
        if unknown or min(self.class_weight.values(), default=1) < 0 or not any(self.class_weight.values()):
            raise ValueError(f"class_weight needs numbers of at least 0 for {known}, received {self.class_weight}")
        return {k: self.class_weight.get(label, 1.0) for k, label in enumerate(known)}


def _seen(inputs: Any) -> list[Any]:
    """Shape of the inputs, and digests of a few of them."""
    rows = np.unique(np.linspace(0, len(inputs) - 1, _SAMPLED).astype(np.int64))
    sample = np.asarray(inputs[rows])
    return [list(inputs.shape), str(sample.dtype), hashlib.sha256(sample.tobytes()).hexdigest()]


def head_layers(keras: Any, x: Any, classes: int, hidden: int, dropout: float, seed: int) -> Any:
    """A new head on pooled features: dense layer (where `hidden` is not 0), dropout, softmax."""
    initial = keras.initializers
    if hidden:
        kernel = initial.HeUniform(seed=seed)
        x = keras.layers.Dense(hidden, activation="relu", kernel_initializer=kernel, name="head_dense")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=seed, name="head_dropout")(x)
    kernel = initial.GlorotUniform(seed=seed + 1)
    return keras.layers.Dense(
        classes, activation="softmax", kernel_initializer=kernel, dtype="float32", name="head_probabilities"
    )(x)
