"""Every network of keras.applications: the table says what Keras does."""

from __future__ import annotations

import inspect
import sys

import numpy as np
import pytest

from leukobench.networks import build as build_module
from leukobench.networks import get_network
from leukobench.networks.applications import applications
from leukobench.networks.build import build
from leukobench.networks.weights import locate


@pytest.fixture(scope="module")
def keras():
    from leukobench.networks.frameworks import load_keras

    return load_keras()


@pytest.mark.parametrize("name", sorted(applications()))
def test_preprocessing_in_the_graph_is_that_of_keras(name, keras):
    network = applications()[name]
    function = getattr(keras.applications, network.title)
    module = sys.modules[function.__module__]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype(np.float32)
    inputs = keras.Input((5, 4, 3))
    outputs = build_module._preprocess(keras, inputs, network.preprocessing)
    ours = pixels if outputs is inputs else np.asarray(keras.Model(inputs, outputs)(pixels))
    np.testing.assert_allclose(ours, module.preprocess_input(pixels.copy()), rtol=1e-5, atol=1e-5)


def test_every_network_of_keras_applications_is_known(keras):
    functions = [name for name, item in vars(keras.applications).items() if inspect.isfunction(item)]
    assert {name.lower() for name in functions} <= set(applications())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in ("mobilenetv2", "nasnetmobile") else pytest.mark.thorough)
        for name in sorted(applications())
    ],
)
def test_the_table_says_what_keras_asks_for(name, keras, monkeypatch):
    from keras.src.utils import file_utils

    class Asked(Exception):
        pass

    def get_file(fname=None, origin=None, **more):
        raise Asked(fname, origin, more.get("file_hash") or "")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    network = applications()[name]
    with pytest.raises(Asked) as asked:
        getattr(keras.applications, network.title)(
            include_top=False, weights="imagenet", input_shape=(*network.input_size, 3)
        )
    file = network.published
    assert asked.value.args == (file.name, file.url, file.checksum)
    assert file.checksum or name in {"mobilenet", "mobilenetv2"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50v2", "efficientnetb0", "nasnetmobile", "mobilenetv3small", "convnexttiny"])
def test_other_networks_of_keras_can_be_built_and_pooled(name):
    from leukobench.features.pooling import add_poolings, feature_names, stages

    network = get_network(name)
    model = build(network, locate(network, "random"))
    assert model.output.shape[-1] == network.numbers
    assert abs(4e-6 * model.count_params() - network.megabytes) < 0.6
    assert len(stages(model, network)) >= 4
    width = add_poolings(model, network, ["multilevel"]).output_shape[-1]
    assert width == len(feature_names(model, network, ["multilevel"]))
