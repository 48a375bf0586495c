"""Training: epochs over balanced, augmented examples until the inner validation part stops improving."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrainingError
from ...networks.frameworks import out_of_memory
from .augmentation import Augmentation
from .balancing import Examples
from .batches import assign, batches, predict_in_batches, values
from .checkpoint import Arrays, Checkpoint

_WARM_UP = 1.0
_REPORT_S = 0.5

Report = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Settings:
    """How one phase of a training goes.

    Attributes
    ----------
    phase : str
        Its name in learning curves.
    stage : int
        Its place among the phases of the training.
    epochs, batch_size : int
    learning_rate : float
        At its height: it rises over the first epoch and falls to 0 along a cosine.
    patience : int
        Epochs without a better validation loss after which training stops.
    seed : int
    threads : int
        That prepare batches.
    span : (float, float)
        Where the phase begins and ends in the whole training, for who wants to know how far it is.
    """

    phase: str
    stage: int
    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    seed: int
    threads: int = 1
    span: tuple[float, float] = (0.0, 1.0)

    def rate(self, epoch: float) -> float:
        """Learning rate after a number of epochs."""
        risen = min(1.0, (epoch + 1e-3) / _WARM_UP) if self.epochs > 1 else 1.0
        return self.learning_rate * risen * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))


@dataclass(frozen=True)
class Data:
    """What a phase trains on, and what it is validated with.

    Attributes
    ----------
    inputs : array-like, shape (n, ...)
    examples : Examples
        Rows of the inputs to train on.
    validation : ndarray of int
        Rows to validate with; empty where there are none.
    labels : ndarray of int, shape (n,)
    augmentation : Augmentation or None
    """

    inputs: Any
    examples: Examples
    validation: NDArray[np.int64]
    labels: NDArray[np.int64]
    augmentation: Augmentation | None = None


@dataclass
class _State:
    """What a phase has reached after some epochs."""

    epoch: int = 0
    batch_size: int = 32
    best_epoch: int = 0
    best_loss: float = math.inf
    curve: list[dict[str, Any]] = field(default_factory=list)


class Training:
    """One phase of training a compiled network.

    Parameters
    ----------
    model : keras.Model
        Compiled, with an Adam optimizer; gives one probability a class, or that of the second of two classes.
    data : Data
    settings : Settings
    checkpoint : Checkpoint
        Written after each epoch; a phase goes on from where it was.
    before : list of dict
        Learning curves of earlier phases, which the checkpoint keeps too.
    report : callable
        Called several times a second with: done (part of the whole training), phase, epoch, epochs, loss,
        validation_loss.
    """

    def __init__(
        self,
        model: Any,
        data: Data,
        settings: Settings,
        checkpoint: Checkpoint,
        before: list[dict[str, Any]],
        report: Report = lambda facts: None,
    ) -> None:
        self._model, self._data, self._settings = model, data, settings
        self._checkpoint, self._before, self._report = checkpoint, before, report
        self._state = _State(batch_size=min(settings.batch_size, len(data.examples)))
        self._best: Arrays = []
        self._reported_at = 0.0

    def run(self) -> list[dict[str, Any]]:
        """Train to the end; the model then has its best weights.

        Returns
        -------
        list of dict
            One an epoch: phase, epoch, learning_rate, loss (mean over its batches), validation_loss,
            validation_accuracy (NaN without a validation part), images, batch_size, seconds.

        Raises
        ------
        TrainingError
            The loss is no number any more.
        """
        state, settings = self._state, self._settings
        self._model.optimizer.build(self._model.trainable_variables)
        self._resume()
        if settings.stage and not state.epoch:  # what the phase before reached is to be beaten
            loss, _ = self._validate()
            if not math.isnan(loss):
                state.best_loss, self._best = loss, values(self._model.variables)
        while state.epoch < settings.epochs and state.epoch - state.best_epoch < settings.patience:
            before = values(self._model.variables), values(self._model.optimizer.variables)
            start = time.perf_counter()
            try:
                loss = self._epoch()
                validation_loss, accuracy = self._validate()
            except Exception as error:  # every backend has its own error for memory that ran out
                if not out_of_memory(error) or state.batch_size == 1:
                    raise
                state.batch_size //= 2
                assign(self._model.variables, before[0])
                assign(self._model.optimizer.variables, before[1])
                continue
            self._end_epoch(loss, validation_loss, accuracy, time.perf_counter() - start)
        if self._best:
            assign(self._model.variables, self._best)
        return state.curve

    def _resume(self) -> None:
        stored = self._checkpoint.load()
        if stored is None or stored[0]["stage"] != self._settings.stage:
            return
        state, arrays = stored
        self._state.__dict__.update({name: state[name] for name in asdict(self._state)})
        self._best = arrays["best"]
        assign(self._model.variables, arrays["model"])
        assign(self._model.optimizer.variables, arrays["optimizer"])

    def _end_epoch(self, loss: float, validation_loss: float, accuracy: float, seconds: float) -> None:
        state, settings = self._state, self._settings
        state.epoch += 1
        state.curve.append(
            {
                "phase": settings.phase,
                "epoch": state.epoch,
                "learning_rate": settings.rate(state.epoch - 0.5),
                "loss": loss,
                "validation_loss": validation_loss,
                "validation_accuracy": accuracy,
                "images": math.prod(batches(len(self._data.examples), state.batch_size)),
                "batch_size": state.batch_size,
                "seconds": seconds,
            }
        )
        if math.isnan(validation_loss):
            state.best_epoch = state.epoch
        elif validation_loss < state.best_loss:
            state.best_loss, state.best_epoch = validation_loss, state.epoch
            self._best = values(self._model.variables)
        self._keep()

    def _keep(self) -> None:
        arrays = {
            "model": values(self._model.variables),
            "optimizer": values(self._model.optimizer.variables),
            "best": self._best,
        }
        reached = {"stage": self._settings.stage, "before": self._before, **asdict(self._state)}
        self._checkpoint.save(reached, arrays)

    def _epoch(self) -> float:
        """Mean loss of one epoch."""
        settings, state = self._settings, self._state
        steps, size = batches(len(self._data.examples), state.batch_size)
        losses = []
        for step, (inputs, labels, weights) in enumerate(self._batches(steps, size)):
            self._model.optimizer.learning_rate = settings.rate(state.epoch + step / steps)
            loss = float(np.asarray(self._model.train_on_batch(inputs, labels, sample_weight=weights)))
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss became {loss} in epoch {state.epoch + 1} of phase '{settings.phase}'.",
                    received=f"learning_rate {settings.learning_rate:g}, batch_size {state.batch_size}",
                    fix="lower learning_rate.",
                )
            losses.append(loss)
            self._report_progress((step + 1) * size, float(np.mean(losses)))
        return float(np.mean(losses))

    def _report_progress(self, images: int, loss: float) -> None:
        if time.perf_counter() - self._reported_at < _REPORT_S:
            return
        self._reported_at = time.perf_counter()
        last = self._state.curve[-1]["validation_loss"] if self._state.curve else math.nan
        settings, epoch = self._settings, self._state.epoch
        begin, end = settings.span
        share = begin + (end - begin) * (epoch + images / len(self._data.examples)) / settings.epochs
        where = {"done": share, "phase": settings.phase, "epoch": epoch + 1, "epochs": settings.epochs}
        self._report({**where, "loss": loss, "validation_loss": last})

    def _batches(
        self, steps: int, size: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]]:
        """Batches of one epoch in random order, prepared ahead; the same ones for any number of threads."""
        examples, state = self._data.examples, self._state
        seeds = np.random.SeedSequence([self._settings.seed, state.epoch])
        order = np.random.default_rng(seeds).permutation(len(examples))
        parts = [order[step * size : (step + 1) * size] for step in range(steps)]
        prepared: deque[Future[NDArray[np.float32]]] = deque()
        with ThreadPoolExecutor(self._settings.threads) as pool:
            todo = zip(parts, seeds.spawn(len(parts)), strict=True)
            for places in parts:
                while len(prepared) <= self._settings.threads and (following := next(todo, None)):
                    prepared.append(pool.submit(self._batch, *following))
                yield prepared.popleft().result(), examples.labels[places], examples.weights[places]

    def _batch(self, places: NDArray[np.int64], seed: np.random.SeedSequence) -> NDArray[np.float32]:
        inputs, augmentation = self._data.examples.batch(self._data.inputs, places), self._data.augmentation
        return augmentation(inputs, np.random.default_rng(seed)) if augmentation else inputs

    def _validate(self) -> tuple[float, float]:
        """Log loss, with the weights of the classes, and accuracy on the validation part."""
        rows = self._data.validation
        if not len(rows):
            return math.nan, math.nan
        probabilities = predict_in_batches(self._model, self._data.inputs, rows, self._state.batch_size)
        true = self._data.labels[rows]
        if not np.isfinite(probabilities).all():
            return math.inf, 0.0
        of_true = np.clip(probabilities[np.arange(len(rows)), true], 1e-7, 1.0)
        weights = np.zeros(probabilities.shape[1])
        weights[self._data.examples.labels] = self._data.examples.weights
        loss = np.average(-np.log(of_true), weights=weights[true] if weights[true].any() else None)
        return float(loss), float((probabilities.argmax(axis=1) == true).mean())
