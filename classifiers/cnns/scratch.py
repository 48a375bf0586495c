"""Networks trained from scratch, only on the images of the training folds."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from .augmentation import Augmentation
from .inputs import as_images
from .network_classifier import Fit, NetworkClassifier, head_layers

_MOMENTUM = 0.9


class CustomCNN(NetworkClassifier):
    """Convolution blocks, each with its max pooling, then pooling, a dense layer and softmax, trained from scratch.

    Parameters
    ----------
    size : int
        Images are resized to this height and width.
    filters : sequence of int
        Of the 3 x 3 convolution of each block, which is followed by batch normalisation, ReLU and 2 x 2 max pooling.
    hidden : int
        Units of the dense layer.
    dropout : float
        Part of them that is left out at a time.
    epochs, batch_size, learning_rate
        Adam; the rate rises over the first epoch and falls along a cosine.
    patience : int
        Epochs without a better validation loss after which training stops; the best weights are kept.
    validation : float
        Part of the training images (whole groups) that is not trained on, for that.
    augment : bool or mapping
        See `Augmentation`.
    class_weight : {None, "balanced"} or mapping
    oversample : {None, "random", "smote"}
        Bring all classes to one size, after the inner split.
    n_jobs : int
        CPU threads.
    random_state : int, optional

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    model_ : keras.Model
    curve_ : list of dict
        One an epoch; see `Training.run`.
    parameters_ : int
        Weights of the network.
    n_iter_ : int
        Epochs.

    References
    ----------
    A. Tamim et al., Detection and Classification of Acute Lymphoblastic Leukemia Utilizing Deep Transfer Learning,
    arXiv 2501.14228, 2025: "multiple convolutional layers, each paired with corresponding max pooling layers", with
    SMOTE. The paper does not give sizes; these are ours.
    """

    interpolation = "bilinear"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkClassifier._parameter_constraints,
        "size": [Interval(Integral, 1, None, closed="left")],
        "filters": ["array-like"],
        "augment": ["boolean", dict],
    }

    def __init__(
        self,
        *,
        size: int = 96,
        filters: Sequence[int] = (16, 32, 64, 128, 256),
        hidden: int = 128,
        dropout: float = 0.5,
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        patience: int = 10,
        validation: float = 0.15,
        augment: Any = True,
        class_weight: Any = None,
        oversample: str | None = None,
        n_jobs: int = 1,
        random_state: int | None = None,
    ) -> None:
        self.size = size
        self.filters = filters
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation = validation
        self.augment = augment
        self.class_weight = class_weight
        self.oversample = oversample
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the images that it sees."""
        return self.size, self.size

    def _validate_params(self) -> None:
        super()._validate_params()
        Augmentation.of(self.augment)
        if not len(self.filters) or any(not isinstance(count, Integral) or count < 1 for count in self.filters):
            raise ValueError(f"filters must be whole numbers above 0, received {self.filters}")
        if self.size < 2 ** len(self.filters):
            raise ValueError(
                f"too many filters: {len(self.filters)} halvings of {self.size} pixels must leave at least one"
            )

    def _as_inputs(self, X: Any, fitting: bool = False) -> Any:
        return as_images(X, self.input_size, self.interpolation)

    def _train(self, keras: Any, fit: Fit) -> Any:
        model = self._network(keras, len(self.classes_), fit.seed)
        self._phase(keras, model, fit, self._settings(fit, "from scratch"), lambda: fit.inputs, self.augment)
        return model

    def _network(self, keras: Any, classes: int, seed: int) -> Any:
        layers = keras.layers
        pixels = keras.Input((*self.input_size, 3), name="pixels")
        x = layers.Rescaling(1 / 127.5, -1.0)(pixels)
        for block, filters in enumerate(self.filters):
            kernel = keras.initializers.HeNormal(seed=seed + 10 + block)
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer=kernel)(x)
            x = layers.BatchNormalization(momentum=_MOMENTUM)(x)
            x = layers.ReLU()(x)
            x = layers.MaxPooling2D()(x)
        x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(pixels, head_layers(keras, x, classes, self.hidden, self.dropout, seed), name="custom_cnn")


class BinaryCNN(CustomCNN):
    """`CustomCNN` for two classes, such as normal and blast: one output with a sigmoid.

    Parameters
    ----------
    size, filters, hidden, dropout, epochs, batch_size, learning_rate, patience, validation, augment, class_weight, \
oversample, n_jobs, random_state
        As for `CustomCNN`.

    Raises
    ------
    ValueError
        `fit` is given more than two classes.
    """

    most_classes = 2

    def _network(self, keras: Any, classes: int, seed: int) -> Any:
        if classes > self.most_classes:
            raise ValueError(f"binary_cnn is for 2 classes; received {classes}: use custom_cnn")
        model = super()._network(keras, classes, seed)
        kernel = keras.initializers.GlorotUniform(seed=seed + 1)
        last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=kernel, name="probability")
        return keras.Model(model.input, last(model.layers[-1].input), name="binary_cnn")
