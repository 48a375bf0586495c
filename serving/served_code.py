"""An extractor of somebody's own in a bundle: named code, and the parameters that it is made with."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ..features.extractor import Extractor, OpenExtractor
from ..features.extractors import make_extractor
from ..plugins.permission import allowing
from .named_code import NamedCode, one_at_a_time
from .served_network import fixed_image

_SIDE = 64
_MOST_FEATURES = 10**6


@dataclass(frozen=True)
class ServedCode:
    """What a bundle holds of an extractor in the place of a network; see `leukobench.serving.served_network`.

    Attributes
    ----------
    dotted : str
        ``"package.module:Name"``.
    parameters : mapping
        JSON-like.
    code : NamedCode
        Its module.
    feature_names : tuple of str
    extractor : Extractor
    """

    dotted: str
    parameters: Mapping[str, Any]
    code: NamedCode
    feature_names: tuple[str, ...]
    extractor: Extractor

    precision = "float32"
    orientations = 1

    @classmethod
    def of(cls, manifest: Mapping[str, Any], code: Sequence[NamedCode]) -> ServedCode:
        """From what a manifest says of it, and the code that it names, which is allowed and imported."""
        dotted, parameters = str(manifest["extractor"]), dict(manifest["parameters"])
        own = next((one for one in code if one.module == dotted.replace(":", ".").partition(".")[0]), None)
        names = manifest["feature_names"]
        if own is None or not isinstance(names, list) or not 0 < len(names) <= _MOST_FEATURES:
            raise ValueError("the manifest holds an extractor that is not in its code")
        return cls.make(dotted, parameters, own, tuple(map(str, names)))

    @classmethod
    def make(
        cls, dotted: str, parameters: Mapping[str, Any], code: NamedCode, feature_names: tuple[str, ...]
    ) -> ServedCode:
        """With the extractor, made of code that is allowed."""
        with one_at_a_time, allowing([code.digest]):
            return cls(dotted, parameters, code, feature_names, make_extractor(dotted, parameters))

    def to_mapping(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {
            "extractor": self.dotted,
            "parameters": dict(self.parameters),
            "module": self.code.to_mapping(),
            "feature_names": list(self.feature_names),
        }

    def stored_files(self) -> dict[str, bytes]:
        """None: a bundle does not contain it."""
        return {}

    def read(self, data: bytes) -> Any:
        """What is extracted from, of an image file.

        Raises
        ------
        UnreadableImageError
        """
        return self.extractor.read(data)

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load it for `threads` cores."""
        return self.extractor.open(threads)

    def pattern(self) -> Any:
        """A fixed image as the extractor reads it, to see whether it gives the same numbers as where it was bundled."""
        from PIL import Image

        Image.fromarray(fixed_image((_SIDE, _SIDE))).save(stream := io.BytesIO(), "PNG")
        return self.read(stream.getvalue())
