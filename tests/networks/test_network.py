"""Every spec tells the truth about its network."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from leukobench.errors import ConfigurationError, UnknownNameError
from leukobench.networks import NETWORKS, Network, get_network
from leukobench.networks.build import build
from leukobench.networks.weights import locate

LITES = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
SHIPPED = [*LITES, "inceptionv3", "resnet101", "vgg16", "vgg19", "densenet121", "mobilenetv2"]
LARGE = {"efficientnet_lite1", "efficientnet_lite2", "inceptionv3", "resnet101", "densenet121"}
CHANNELS = {
    "efficientnet_lite0": (24, 40, 80, 112, 192, 320),
    "efficientnet_lite1": (24, 40, 80, 112, 192, 320),
    "efficientnet_lite2": (24, 48, 88, 120, 208, 352),
    "inceptionv3": (288, 768, 2048),
    "resnet101": (256, 512, 1024, 2048),
    "vgg16": (64, 128, 256, 512, 512),
    "vgg19": (64, 128, 256, 512, 512),
    "densenet121": (256, 512, 1024, 1024),
    "mobilenetv2": (24, 32, 64, 96, 160, 320),
}


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


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in SHIPPED])
def test_the_stages_exist_and_shrink(name):
    network = get_network(name)
    model = build(network, locate(network, "random"))
    maps = [model.get_layer(stage).output.shape[1:] for stage in network.stages]
    assert tuple(shape[-1] for shape in maps) == CHANNELS[name]
    assert [shape[0] for shape in maps] == sorted((shape[0] for shape in maps), reverse=True)
    assert model.input_shape == (None, *network.input_size, 3)
    assert model.name == name


@pytest.mark.parametrize("name", ["VGG16", "resnet50v2", "EfficientNetB0"])
def test_networks_of_keras_are_found_in_any_case(name):
    assert get_network(name).name == name.lower()


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(UnknownNameError, match=r"did you mean .*resnet50v2"):
        get_network("resnet50v3")
    for name, nearest in (
        ("efficientnet", "efficientnet_lite0 or "),
        ("lite1", "efficientnet_lite1"),
        ("efficientnetb00", "efficientnetb0"),
    ):
        with pytest.raises(UnknownNameError, match=f"did you mean {nearest}"):
            get_network(name)


def test_a_dotted_name_must_lead_to_a_network():
    assert get_network("leukobench.networks.shipped:_EFFICIENTNET_LITE0").name == "efficientnet_lite0"
    with pytest.raises(ConfigurationError, match="is not a network"):
        get_network("leukobench.networks.shipped:_STAGES")


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
