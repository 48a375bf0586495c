"""Base class of all trained networks: parameters, training and prediction."""

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

from ...machine import DECIDE_NOTHING, code_digest
from ...networks.build import keras_settings
from ...networks.frameworks import configured_backend, load_keras, package_version, settle_keras
from ...storage import digest
from .augmentation import Augmentation
from .balancing import balanced_examples
from .batches import predict_in_batches
from .checkpoint import Checkpoint
from .inputs import encode, inner_split, row_count, seed_of
from .training import Data, Report, Settings, Training

_PACKAGE = "leukobench."
_SAMPLED = 64
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "torch": ("torch",), "jax": ("jax",)}


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: data, inner split, seed, checkpoint and progress report.

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

    Subclasses store their parameters and implement `_as_inputs` and `_train`.
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
        """What the result depends on besides the parameters: code, Keras and its backend; weights are located here.

        Raises
        ------
        LeukobenchError
            Weights are absent, or Keras is.
        """
        backend = configured_backend() or "none"
        versions = {name: package_version(name) for name in ("keras", *_DISTRIBUTIONS.get(backend, ()))}
        own = [base.__module__ for base in type(self).__mro__ if base.__module__.startswith(_PACKAGE)]
        code = code_digest(*(module.removeprefix(_PACKAGE) for module in own), apart_from=DECIDE_NOTHING)
        return versions | {"code": code[:16]}

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        checkpoint: Path | None = None,
        report: Report | None = None,
        validation_rows: ArrayLike | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n, ...)
            See the class.
        y : array-like, shape (n,)
        groups : array-like, shape (n,), optional
            Inputs of one group (patient) are never on both sides of the inner split.
        checkpoint : Path, optional
            A file is written beside this path after each epoch, its name extended by a digest of the training; a call
            with the same inputs and parameters resumes from it.
        report : callable, optional
            Called several times a second with the progress; see `Training`.
        validation_rows : array-like of int, optional
            Rows that are only validated on, in place of an inner split.

        Raises
        ------
        ValueError
            Inputs and labels do not fit together.
        TrainingError
            The loss became NaN or infinite.
        """
        self._validate_params()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        inputs = self._as_inputs(X, fitting=True)
        row_count(inputs, np.asarray(y))
        self.classes_, labels = encode(y)
        seed = seed_of(self.random_state)
        if validation_rows is None:
            train, validation = inner_split(labels, groups, self.validation, seed)
        else:
            validation = np.asarray(validation_rows, dtype=np.int64)
            train = np.setdiff1d(np.arange(len(labels)), validation)
            validation = validation if self.validation else validation[:0]
        keras = load_keras()
        settle_keras(self.n_jobs)
        parameters = self.get_params()
        parameters = {name: parameters[name] for name in parameters if name not in ("n_jobs", "random_state")}
        learnt = [labels.tolist(), train.tolist(), _sample(inputs)]
        identity = digest([type(self).__name__, repr(parameters), seed, self.depends_on(), learnt])
        saved = Checkpoint(checkpoint and checkpoint.with_suffix(f".{identity[:8]}.npz"), identity)
        resumed = saved.load()
        self.seconds_before_ = sum(e["seconds"] for e in resumed[0]["before"] + resumed[0]["curve"]) if resumed else 0.0
        with keras_settings(keras):
            self.curve_: list[dict[str, Any]] = []
            fit = Fit(inputs, labels, train, validation, seed, self.n_jobs, saved, report or (lambda progress: None))
            self.model_ = self._train(keras, fit)
        predict_in_batches(self.model_, inputs, train[:1], min(self.batch_size, len(train)))  # compiles the prediction
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
        """Check `X` and return the network's inputs."""

    @abstractmethod
    def _train(self, keras: Any, fit: Fit) -> Any:
        """Train and return a ``keras.Model``."""

    def _phase(
        self, keras: Any, model: Any, fit: Fit, settings: Settings, inputs: Callable[[], Any], augment: Any = False
    ) -> None:
        """Train `model` on ``inputs()``, unless a later phase has already begun."""
        saved = fit.checkpoint.load()
        if saved and saved[0]["stage"] > settings.stage:
            self.curve_ = saved[0]["before"]
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
        """Settings of one phase from the parameters; `other` takes precedence."""
        own = {"epochs": self.epochs, "learning_rate": self.learning_rate, "patience": self.patience}
        return Settings(phase, stage, batch_size=self.batch_size, seed=fit.seed, threads=fit.threads, **(own | other))

    def _weight_of_codes(self) -> Any:
        """Class weights by position among the classes."""
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        classes = self.classes_.tolist()
        unknown = [label for label in self.class_weight if label not in classes]
        if unknown or min(self.class_weight.values(), default=1) < 0 or not any(self.class_weight.values()):
            raise ValueError(f"class_weight needs numbers of at least 0 for {classes}, received {self.class_weight}")
        return {k: self.class_weight.get(label, 1.0) for k, label in enumerate(classes)}


def _sample(inputs: Any) -> list[Any]:
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
