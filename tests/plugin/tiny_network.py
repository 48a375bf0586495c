"""A network so small that its bundle is a small file: two convolutions with frozen random weights."""

from __future__ import annotations

from typing import Any

from leukobench.networks.network import TENSORFLOW, Network


def build(*, include_top: bool = False, weights: None = None, input_tensor: Any = None) -> Any:
    """Called as a network of keras.applications is."""
    import keras

    x = input_tensor
    for number, (channels, stride) in enumerate(((8, 2), (16, 2), (24, 2)), 1):
        x = keras.layers.Conv2D(channels, 3, stride, "same", activation="relu", name=f"stage{number}")(x)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


SPEC = Network(
    name="tiny",
    title="Tiny",
    builder="tiny_network:build",
    input_size=(48, 48),
    preprocessing=TENSORFLOW,
    source="none",
    licence="MIT",
    stages=("stage1", "stage2", "stage3"),
)
TINY = SPEC
