"""The head of a network as a classifier of cached features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils.validation import check_is_fitted, validate_data

from ...registry import declares
from .network_classifier import Fit, NetworkClassifier, head_layers


@declares(search_space={"hidden": [128, 0], "learning_rate": [1e-3, 3e-3]})
class DenseHead(NetworkClassifier):
    """Dense layer, dropout, softmax over features: what `Transfer` trains while its network is frozen.

    Parameters
    ----------
    hidden : int
        Units of the dense layer; 0 for none.
    dropout : float
        Part of its inputs that is left out at a time.
    epochs, batch_size, learning_rate
        Adam; the rate rises over the first epoch and falls along a cosine.
    patience : int
        Epochs without a better validation loss after which training stops; the best weights are kept.
    validation : float
        Part of the training images (whole groups) that is not trained on, for that.
    class_weight : {None, "balanced"} or mapping
    oversample : {None, "random", "smote"}
        Bring all classes to one size, after the inner split.
    n_jobs : int
        CPU threads.
    random_state : int, optional

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    n_features_in_ : int
    layers_ : list of (ndarray, ndarray)
        Kernel and bias of each dense layer, float32: what predicts, without Keras.
    curve_ : list of dict
        One an epoch; see `Training.run`.
    parameters_ : int
        Weights of the head.
    n_iter_ : int
        Epochs.

    References
    ----------
    J. Yosinski et al., How Transferable Are Features in Deep Neural Networks?, NeurIPS 2014.
    """

    def __init__(
        self,
        *,
        hidden: int = 128,
        dropout: float = 0.3,
        epochs: int = 40,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        patience: int = 10,
        validation: float = 0.15,
        class_weight: Any = None,
        oversample: str | None = None,
        n_jobs: int = 1,
        random_state: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation = validation
        self.class_weight = class_weight
        self.oversample = oversample
        self.n_jobs = n_jobs
        self.random_state = random_state

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities, shape (n, classes)."""
        check_is_fitted(self, "layers_")
        values = self._as_inputs(X).astype(np.float64)
        *hidden, (kernel, bias) = self.layers_
        for own, offset in hidden:
            values = np.maximum(values @ own + offset, 0)
        return np.asarray(softmax(values @ kernel + bias, axis=1))

    def __getstate__(self) -> dict[str, Any]:
        """Without the model of Keras, which only `fit` needs."""
        return {name: value for name, value in super().__getstate__().items() if name != "model_"}

    def _as_inputs(self, X: Any, fitting: bool = False) -> Any:
        return validate_data(self, X, dtype=np.float32, reset=fitting)

    def _train(self, keras: Any, fit: Fit) -> Any:
        vector = keras.Input((self.n_features_in_,), name="features")
        head = head_layers(keras, vector, len(self.classes_), self.hidden, self.dropout, fit.seed)
        model = keras.Model(vector, head, name="dense_head")
        self._phase(keras, model, fit, self._settings(fit, "head"), lambda: fit.inputs)
        dense = [layer for layer in model.layers if layer.name in ("head_dense", "head_probabilities")]
        self.layers_ = [tuple(np.asarray(value) for value in layer.get_weights()) for layer in dense]
        return model
