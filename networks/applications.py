"""Every network of ``keras.applications``, by its lower-case name, from the table ``applications.csv`` beside it.

The table holds what Keras uses itself: default input size, weights file without the classifier, address, checksum
(empty for MobileNet and MobileNetV2, for which Keras has none); and the length of vectors and four bytes a parameter,
of the networks as Keras builds them.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources

from .network import CAFFE, IN_THE_NETWORK, TENSORFLOW, TORCH, Network, Preprocessing, PublishedFile

_HOST = "https://storage.googleapis.com/"


@dataclass(frozen=True)
class _Family:
    preprocessing: Preprocessing
    licence: str
    source: str
    interpolation: str = "bilinear"


_FAMILIES = {
    "convnext": _Family(IN_THE_NETWORK, "MIT", "Liu et al., A ConvNet for the 2020s, CVPR 2022", "bicubic"),
    "densenet": _Family(TORCH, "BSD-3-Clause", "Huang et al., Densely Connected Convolutional Networks, CVPR 2017"),
    "efficientnet": _Family(IN_THE_NETWORK, "Apache-2.0", "Tan and Le, EfficientNet, ICML 2019", "bicubic"),
    "efficientnet_v2": _Family(IN_THE_NETWORK, "Apache-2.0", "Tan and Le, EfficientNetV2, ICML 2021"),
    "inception_resnet_v2": _Family(TENSORFLOW, "Apache-2.0", "Szegedy et al., Inception-v4, AAAI 2017"),
    "inception_v3": _Family(
        TENSORFLOW, "Apache-2.0", "Szegedy et al., Rethinking the Inception Architecture, CVPR 2016"
    ),
    "mobilenet": _Family(TENSORFLOW, "Apache-2.0", "Howard et al., MobileNets, arXiv 1704.04861, 2017"),
    "mobilenet_v2": _Family(TENSORFLOW, "Apache-2.0", "Sandler et al., MobileNetV2, CVPR 2018"),
    "mobilenet_v3": _Family(IN_THE_NETWORK, "Apache-2.0", "Howard et al., Searching for MobileNetV3, ICCV 2019"),
    "nasnet": _Family(TENSORFLOW, "Apache-2.0", "Zoph et al., Learning Transferable Architectures, CVPR 2018"),
    "resnet": _Family(CAFFE, "MIT", "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"),
    "resnet_v2": _Family(TENSORFLOW, "MIT", "He et al., Identity Mappings in Deep Residual Networks, ECCV 2016"),
    "vgg16": _Family(CAFFE, "CC-BY-4.0", "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"),
    "vgg19": _Family(CAFFE, "CC-BY-4.0", "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"),
    "xception": _Family(TENSORFLOW, "MIT", "Chollet, Xception, CVPR 2017"),
}


@functools.cache
def applications() -> dict[str, Network]:
    """Specs of all networks of ``keras.applications``, by lower-case name; Keras is not imported for it."""
    table = resources.files(__package__).joinpath("applications.csv").read_text(encoding="utf-8")
    networks = map(_network, csv.DictReader(table.splitlines()))
    return {network.name: network for network in networks}


def _network(row: dict[str, str]) -> Network:
    family = _FAMILIES[row["family"]]
    size = int(row["size"])
    return Network(
        name=row["function"].lower(),
        title=row["function"],
        builder=f"keras.applications:{row['function']}",
        input_size=(size, size),
        preprocessing=family.preprocessing,
        source=family.source,
        licence=family.licence,
        interpolation=family.interpolation,
        published=PublishedFile(row["file"], _HOST + row["url"], row["checksum"]),
        # EfficientNetB0 to B7 are given one more rescaling when, and only when, they load ImageNet weights themselves.
        builder_loads=row["family"] == "efficientnet",
        numbers=int(row["numbers"]),
        megabytes=int(row["megabytes"]),
    )
