"""Transfer learning: a pretrained network with a new head, frozen or fine-tuned from a named layer on."""

from __future__ import annotations

import difflib
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ...errors import ConfigurationError
from ...networks import Network, get_network
from ...networks.build import build
from ...networks.weights import Weights, locate
from .augmentation import Augmentation
from .batches import predict_in_batches
from .inputs import as_images
from .network_classifier import Fit, NetworkClassifier, head_layers

_FEATURES_SPAN, _FINE_SPAN = (0.8, 1.0), 0.9
"""Parts of a training, about: where computing features once ends, and what fine-tuning takes."""


class Transfer(NetworkClassifier):
    """A pretrained network, global average pooling, and a new head.

    First the head is trained while the network is frozen: the features of each image are computed once, and the head
    is trained on them, which is equivalent to running the frozen network in each epoch. Then, if `unfreeze_from`
    names a layer, that layer and all after it are trained further, on augmented images, at a lower rate. Batch
    normalisation stays frozen throughout: with new statistics it would undo what the head learnt.

    Parameters
    ----------
    network : str
        Any network that `leukobench list extractors` knows, or of ``keras.applications``.
    weights : str, optional
        As for the extractors; by default the network's own.
    unfreeze_from : str, optional
        Name of a layer, or prefix of a block's layers, such as ``block_13``; ``"all"`` trains everything.
        Nothing is unfrozen by default.
    hidden, dropout
        Of the head: units of its dense layer (0: none), and part of its inputs that is left out at a time.
    epochs, learning_rate
        Of the frozen phase; Adam, the rate rises over the first epoch and falls along a cosine.
    fine_epochs, fine_learning_rate
        The same of the unfrozen phase.
    batch_size, patience, validation
        See `CustomCNN`.
    augment : bool or mapping
        In the unfrozen phase; see `Augmentation`.
    augment_frozen : bool
        Augment in the frozen phase, too: the network then runs in each epoch, at a hundred times the cost.
    class_weight, oversample, n_jobs, random_state
        See `CustomCNN`. In the frozen phase SMOTE is done on the features.

    Attributes
    ----------
    classes_, model_, curve_, parameters_, n_iter_
        See `CustomCNN`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkClassifier._parameter_constraints,
        "network": [str],
        "weights": [str, None],
        "unfreeze_from": [str, None],
        "fine_epochs": [Interval(Integral, 1, None, closed="left")],
        "fine_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "augment": ["boolean", dict],
        "augment_frozen": ["boolean"],
    }

    def __init__(
        self,
        *,
        network: str = "efficientnet_lite0",
        weights: str | None = None,
        unfreeze_from: str | None = None,
        hidden: int = 128,
        dropout: float = 0.3,
        epochs: int = 40,
        learning_rate: float = 1e-3,
        fine_epochs: int = 10,
        fine_learning_rate: float = 1e-4,
        batch_size: int = 32,
        patience: int = 10,
        validation: float = 0.15,
        augment: Any = True,
        augment_frozen: bool = False,
        class_weight: Any = None,
        oversample: str | None = None,
        n_jobs: int = 1,
        random_state: int | None = None,
    ) -> None:
        self.network = network
        self.weights = weights
        self.unfreeze_from = unfreeze_from
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.fine_epochs = fine_epochs
        self.fine_learning_rate = fine_learning_rate
        self.batch_size = batch_size
        self.patience = patience
        self.validation = validation
        self.augment = augment
        self.augment_frozen = augment_frozen
        self.class_weight = class_weight
        self.oversample = oversample
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def spec(self) -> Network:
        """Spec of the network."""
        return get_network(self.network)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the input images."""
        return self.spec.input_size

    @property
    def interpolation(self) -> str:
        """Interpolation for resizing the images."""
        return self.spec.interpolation

    @property
    def weights_label(self) -> str:
        """Name of the weights in tables; random weights are called RANDOM."""
        return self._locate_weights().label

    @property
    def trained(self) -> str:
        """The part that is trained, in words."""
        if self.unfreeze_from is None:
            return "head on the frozen network"
        return "all of it" if self.unfreeze_from == "all" else f"head, then from {self.unfreeze_from} on"

    def depends_on(self) -> dict[str, Any]:
        """See `NetworkClassifier.depends_on`."""
        return super().depends_on() | {"network": self.spec.identity(), "weights": self._locate_weights().digest}

    def check(self) -> None:
        """Check that the network has the layer to unfreeze from, and that the weights fit it.

        Raises
        ------
        ConfigurationError, WeightsError
        """
        located = self._locate_weights()
        if self.unfreeze_from not in (None, "all") or located.kind == "file":
            base = build(self.spec, located)
            if self.unfreeze_from is not None:
                self._first_unfrozen(base)

    def _locate_weights(self) -> Weights:
        return locate(self.spec, self.weights)

    def _validate_params(self) -> None:
        super()._validate_params()
        Augmentation.of(self.augment)

    def _as_inputs(self, X: Any, fitting: bool = False) -> Any:
        return as_images(X, self.input_size, self.interpolation)

    def _train(self, keras: Any, fit: Fit) -> Any:
        base = build(self.spec, self._locate_weights())
        base.trainable = False
        for position, layer in enumerate(base.layers):
            if hasattr(layer, "seed_generator"):  # Keras draws the seeds of such layers anew for each network
                layer.seed_generator.state.assign([fit.seed, position])
        features = keras.layers.GlobalAveragePooling2D(name="pooling")(base.output)
        pooled = keras.Model(base.input, features)
        vector = keras.Input(features.shape[1:], name="features")
        head = keras.Model(vector, head_layers(keras, vector, len(self.classes_), self.hidden, self.dropout, fit.seed))
        model = keras.Model(base.input, head(features), name=f"{self.spec.name}_head")
        fine = self.unfreeze_from is not None
        begin, end = _FEATURES_SPAN if not self.augment_frozen else (0.0, 1.0)
        settings = self._settings(fit, "frozen", span=(begin * (1 - _FINE_SPAN * fine), end * (1 - _FINE_SPAN * fine)))
        if self.augment_frozen:
            self._phase(keras, model, fit, settings, lambda: fit.inputs, self.augment)
        else:
            self._phase(keras, head, fit, settings, lambda: self._features(pooled, fit, settings.span[0]))
        if fine:
            for layer in base.layers[self._first_unfrozen(base) :]:
                layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
            fine_tuning = {"epochs": self.fine_epochs, "learning_rate": self.fine_learning_rate}
            settings = self._settings(fit, "fine-tuned", 1, span=(1 - _FINE_SPAN, 1.0), **fine_tuning)
            self._phase(keras, model, fit, settings, lambda: fit.inputs, self.augment)
        return model

    def _features(self, pooled: Any, fit: Fit, end: float) -> NDArray[np.float32]:
        """Features of all images, shape (n, channels): computed once, since the network is frozen."""
        rows = np.arange(len(fit.labels))
        features = np.empty((len(rows), pooled.output.shape[-1]), np.float32)
        size = min(self.batch_size, len(rows))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            features[part] = predict_in_batches(pooled, fit.inputs, part, size)
            fit.report({"done": end * (int(part[-1]) + 1) / len(rows), "phase": "features of the frozen network"})
        return features

    def _first_unfrozen(self, base: Any) -> int:
        """Position of the first layer that is trained."""
        if self.unfreeze_from == "all":
            return 0
        names = [layer.name for layer in base.layers]
        wanted = self.unfreeze_from or ""
        starts = [k for k, name in enumerate(names) if name == wanted] or [
            k for k, name in enumerate(names) if name.startswith(f"{wanted}_")
        ]
        if not starts:
            nearest = difflib.get_close_matches(wanted, names, n=3)
            raise ConfigurationError(
                f"{self.spec.title} has no layer '{wanted}'.",
                expected=f"all, or the name of one of its {len(names)} layers, such as {names[len(names) // 2]}",
                received=wanted,
                fix=f"did you mean {' or '.join(nearest)}?" if nearest else "choose one of these names.",
            )
        return starts[0]


mobilenetv2_head = partial(Transfer, network="mobilenetv2")
"""MobileNetV2 with a new head (A. Tamim et al., arXiv 2501.14228, 2025)."""
vgg16_head = partial(Transfer, network="vgg16")
"""VGG16 with a new head, images resized, normalised and augmented (J. Neonatal Surg. 14(4S), 2025)."""
