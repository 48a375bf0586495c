"""Every spec tells the truth about its network."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from leukobench.errors import ConfigurationError, UnknownNameError
from leukobench.networks import NETWORKS, Network, get_network
from leukobench.networks import build as build_module
from leukobench.networks.applications import applications
from leukobench.networks.build import build
from leukobench.networks.weights import locate

SHIPPED = ["efficientnet_lite0", "inceptionv3", "resnet101", "vgg16", "vgg19", "densenet121", "mobilenetv2"]
CHANNELS = {
    "efficientnet_lite0": (24, 40, 80, 112, 192, 320),
    "inceptionv3": (288, 768, 2048),
    "resnet101": (256, 512, 1024, 2048),
    "vgg16": (64, 128, 256, 512, 512),
    "vgg19": (64, 128, 256, 512, 512),
    "densenet121": (256, 512, 1024, 1024),
    "mobilenetv2": (24, 32, 64, 96, 160, 320),
}


@pytest.fixture(scope="module")
def keras():
    from leukobench.networks.frameworks import load_keras

    return load_keras()


def test_the_shipped_networks_are_listed_in_order():
    assert NETWORKS.names()[: len(SHIPPED)] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_spec_is_complete(name):
    network = get_network(name)
    assert network.name == name
    assert network.source
    assert network.licence
    assert network.interpolation in {"bilinear", "bicubic"}
    assert network.default_weights == ("bundled" if network.bundled else "imagenet")
    assert network.weights_choices[-2:] == ("imagenet", "random")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_stages_exist_and_shrink(name):
    network = get_network(name)
    model = build(network, locate(network, "random"))
    maps = [model.get_layer(stage).output.shape[1:] for stage in network.stages]
    assert tuple(shape[-1] for shape in maps) == CHANNELS[name]
    assert [shape[0] for shape in maps] == sorted((shape[0] for shape in maps), reverse=True)
    assert model.input_shape == (None, *network.input_size, 3)
    assert model.name == name


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


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(applications()))
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
    assert len(stages(model, network)) >= 4
    width = add_poolings(model, network, ["multilevel"]).output_shape[-1]
    assert width == len(feature_names(model, network, ["multilevel"]))


@pytest.mark.parametrize("name", ["VGG16", "resnet50v2", "EfficientNetB0"])
def test_networks_of_keras_are_found_in_any_case(name):
    assert get_network(name).name == name.lower()


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(UnknownNameError, match=r"did you mean .*resnet50v2"):
        get_network("resnet50v3")


def test_a_dotted_name_must_lead_to_a_network():
    assert get_network("leukobench.networks.shipped:_EFFICIENTNET_LITE0").name == "efficientnet_lite0"
    with pytest.raises(ConfigurationError, match="is not a network"):
        get_network("math:pi")


def test_the_identity_tells_networks_apart_and_ignores_titles():
    network = get_network("vgg16")
    assert replace(network, title="other", source="other").identity() == network.identity()
    assert replace(network, interpolation="bicubic").identity() != network.identity()
    assert isinstance(network, Network)


def test_names_and_weights_need_no_framework():
    code = (
        "import sys; from leukobench.networks import get_network; from leukobench.networks.weights import locate;"
        "locate(get_network('efficientnet_lite0')); get_network('resnet50v2');"
        "print(sorted({'keras', 'tensorflow', 'openvino', 'torch'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
