"""Poolings give the numbers that NumPy gives, under names that tell where they come from."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.features import pooling as module
from leukobench.features.pooling import add_poolings, feature_names, stages
from leukobench.networks import get_network
from leukobench.networks.build import build
from leukobench.networks.weights import locate

LITE = get_network("efficientnet_lite0")


@pytest.fixture(scope="module")
def model():
    return build(LITE, locate(LITE))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)


def assert_near(vectors, expected, relative=1e-5):
    assert np.abs(vectors - expected).max() <= relative * np.abs(expected).max()


def test_multilevel_is_mean_and_standard_deviation_of_each_stage(model, pixels):
    import keras

    maps = keras.Model(model.inputs[0], [model.get_layer(name).output for name in LITE.stages]).predict(
        pixels, verbose=0
    )
    exact = [np.asarray(x, np.float64) for x in maps]
    expected = np.concatenate([part for x in exact for part in (x.mean((1, 2)), x.std((1, 2)))], axis=1)
    vectors = add_poolings(model, LITE, ["multilevel"]).predict(pixels, verbose=0)
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 1536)
    assert_near(vectors, expected)
    names = feature_names(model, LITE, ["multilevel"])
    assert len(names) == len(set(names)) == 1536
    assert (names[0], names[24], names[48], names[-1]) == (
        "stage1_mean_0000",
        "stage1_std_0000",
        "stage2_mean_0000",
        "stage6_std_0319",
    )


@pytest.mark.slow
@pytest.mark.parametrize(("pooling", "name", "reduce"), [("average", "avg", np.mean), ("max", "max", np.max)])
def test_average_and_max(model, pixels, pooling, name, reduce):
    expected = reduce(model.predict(pixels, verbose=0), axis=(1, 2))
    assert_near(add_poolings(model, LITE, [pooling]).predict(pixels, verbose=0), expected)
    assert feature_names(model, LITE, [pooling])[12] == f"{name}_0012"


def test_the_standard_deviation_keeps_its_digits_where_the_mean_is_large():
    import keras

    inputs = keras.Input((8, 8, 2))
    model = keras.Model(inputs, module._mean_and_std(inputs))
    x = np.full((1, 8, 8, 2), 4096, np.float32)
    x[0, ::2, :, 0] += 0.5
    _, std = model.predict(x, verbose=0)
    np.testing.assert_allclose(std, [[0.25, 0.0]], rtol=1e-5)


def test_a_network_without_named_stages_gets_the_last_layer_at_each_size():
    network = get_network("mobilenet")
    built = build(network, locate(network, "random"))
    found = stages(built, network)
    assert [built.get_layer(name).output.shape[1] for name in found] == [112, 56, 28, 14, 7]
    assert (
        len(feature_names(built, network, ["multilevel"]))
        == add_poolings(built, network, ["multilevel"]).output_shape[-1]
    )


def test_an_unknown_pooling(model):
    with pytest.raises(ConfigurationError, match="no pooling called 'median'"):
        add_poolings(model, LITE, ["median"])
    with pytest.raises(ConfigurationError, match="average, max, multilevel"):
        feature_names(model, LITE, ["median"])
