"""Pooling: from feature maps to one vector per image, by average, maximum, or mean and standard deviation per stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError
from ..networks.network import Network

POOLINGS = ("average", "max", "multilevel")
_SHORT = {"average": "avg", "max": "max"}


def add_poolings(model: Any, network: Network, poolings: Sequence[str]) -> Any:
    """Add poolings on top of a network.

    Parameters
    ----------
    model : keras.Model
        From `leukobench.networks.build.build`, without its classifier.
    network : Network
        Its spec, which names the stages.
    poolings : sequence of {"average", "max", "multilevel"}
        The average or the maximum of each channel of the last feature maps, or the mean and the standard deviation of
        each channel after each stage; all in one pass, one after the other.

    Returns
    -------
    keras.Model
        From raw pixels (None, H, W, 3) to float32 (None, d).

    Raises
    ------
    ConfigurationError
        An unknown pooling.
    """
    from keras import Model, ops

    parts = [_pool(model, network, pooling) for pooling in poolings]
    outputs = ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    return Model(model.inputs[0], outputs, name="_".join([network.name, *poolings]))


def _pool(model: Any, network: Network, pooling: str) -> Any:
    from keras import layers, ops

    check_pooling(pooling)
    if pooling == "multilevel":
        maps = [_float32(model.get_layer(name).output) for name in stages(model, network)]
        return ops.concatenate([part for x in maps for part in _mean_and_std(x)], axis=-1)
    layer = layers.GlobalAveragePooling2D if pooling == "average" else layers.GlobalMaxPooling2D
    return layer(dtype="float32", name=_SHORT[pooling])(_float32(model.output))


def feature_names(model: Any, network: Network, poolings: Sequence[str]) -> list[str]:
    """Feature names of the output of `add_poolings`, in its order.

    Parameters
    ----------
    model, network, poolings
        As for `add_poolings`.

    Returns
    -------
    list of str
        Such as ``"avg_0012"``, or ``"stage3_mean_0004"`` and ``"stage3_std_0004"``; stages are counted from 1, channels
        from 0.
    """
    return [name for pooling in poolings for name in _names(model, network, pooling)]


def _names(model: Any, network: Network, pooling: str) -> list[str]:
    check_pooling(pooling)
    if pooling != "multilevel":
        return _numbered_names(_SHORT[pooling], model.output.shape[-1])
    widths = [model.get_layer(name).output.shape[-1] for name in stages(model, network)]
    parts = [(f"stage{i}_{part}", width) for i, width in enumerate(widths, 1) for part in ("mean", "std")]
    return [name for prefix, width in parts for name in _numbered_names(prefix, width)]


def columns_of(names: Sequence[str], pooling: str) -> slice:
    """Columns of one pooling in the output of `add_poolings`, found by their names."""
    own = [i for i, name in enumerate(names) if name.startswith(_SHORT.get(pooling, "stage"))]
    return slice(own[0], own[-1] + 1)


def stages(model: Any, network: Network) -> Sequence[str]:
    """Names of the layers that end the stages: those of the spec, else the last layer at each size of the maps.

    Parameters
    ----------
    model : keras.Model
        The network, built.
    network : Network
        Its spec.

    Returns
    -------
    sequence of str
        In the order of the graph.
    """
    if network.stages:
        return network.stages
    from keras import layers

    last: dict[int, str] = {}
    for layer in model.layers[1:]:
        shape = layer.output.shape
        resizing = isinstance(layer, (layers.ZeroPadding2D, layers.Cropping2D))
        # Padding opens a size of its own, and squeeze-and-excitation works on maps of one pixel.
        if len(shape) == 4 and shape[1] > 1 and not resizing:
            last[shape[1]] = layer.name
    full_size = model.inputs[0].shape[1]
    return [name for size, name in last.items() if size < full_size]


def check_pooling(pooling: str) -> None:
    """Raise a `ConfigurationError` unless `pooling` is a known one."""
    if pooling not in POOLINGS:
        raise ConfigurationError(
            f"There is no pooling called '{pooling}'.",
            expected=", ".join(POOLINGS),
            received=pooling,
            fix="choose one of these.",
        )


def _mean_and_std(x: Any) -> tuple[Any, Any]:
    from keras import ops

    mean = ops.mean(x, axis=(1, 2), keepdims=True)
    # From the differences, not as E[x^2] - E[x]^2, which loses all digits where the mean is large.
    variance = ops.mean(ops.square(x - mean), axis=(1, 2))
    return ops.mean(x, axis=(1, 2)), ops.sqrt(ops.maximum(variance, 0.0))


def _float32(x: Any) -> Any:
    from keras import ops

    return x if x.dtype == "float32" else ops.cast(x, "float32")


def _numbered_names(prefix: str, width: int) -> list[str]:
    return [f"{prefix}_{channel:04d}" for channel in range(width)]
