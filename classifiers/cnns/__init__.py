"""End-to-end networks: classifiers that are trained on pixels. The registry names them without importing Keras."""

from __future__ import annotations

from ...registry import Registry

CNNS = Registry("cnn")
CNNS.add("custom_cnn", "leukobench.classifiers.cnns.scratch:CustomCNN")
CNNS.add("binary_cnn", "leukobench.classifiers.cnns.scratch:BinaryCNN")
CNNS.add("transfer", "leukobench.classifiers.cnns.transfer:Transfer")
CNNS.add("mobilenetv2_head", "leukobench.classifiers.cnns.transfer:mobilenetv2_head")
CNNS.add("vgg16_head", "leukobench.classifiers.cnns.transfer:vgg16_head")
