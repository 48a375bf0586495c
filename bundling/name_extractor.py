"""Naming an extractor of the user's own in a bundle, which holds its module's name and digest, and its parameters."""

from __future__ import annotations

import json
from pathlib import Path

from ..config.choice import Choice
from ..errors import BundleError
from ..features.extractor import Extractor
from ..features.extractors import EXTRACTORS
from ..serving.named_code import can_be_named, named
from ..serving.served_code import ServedCode


def name_extractor(choice: Choice, extractor: Extractor, features: int) -> ServedCode:
    """The extractor as a bundle names it.

    Parameters
    ----------
    choice : Choice
        Its name and parameters.
    extractor : Extractor
    features : int
        Numbers of a vector.

    Raises
    ------
    BundleError
        Its module lies in no file, or a parameter names a file of this machine.
    """
    dotted = EXTRACTORS.dotted(choice.name)
    module = dotted.replace(":", ".").partition(".")[0]
    if not can_be_named(module):
        raise BundleError(
            f"The extractor {choice.label} cannot be named by a bundle.",
            expected="a class or function in a module of your own, or of an installed package",
            received=dotted,
        )
    texts = [value for value in choice.parameters.values() if isinstance(value, str)]
    if files := [text for text in texts if "\0" not in text and Path(text).expanduser().exists()]:
        raise BundleError(
            f"The extractor {choice.label} reads a file of this machine, which a bundle does not contain.",
            expected="an extractor whose code holds all that it needs, or a network as an ONNX file",
            received=files[0],
            fix="let the code find the file beside itself, or export the network: `extractors: [{onnx: FILE}]`.",
        )
    with extractor.open(1) as opened:
        names = tuple(opened.feature_names)
    if len(names) != features:
        names = tuple(f"feature_{number:04d}" for number in range(features))
    (code,) = named([module])
    return ServedCode(dotted, json.loads(json.dumps(dict(choice.parameters))), code, names, extractor)
