"""The manifest of a bundle: all that it says of itself, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ..serving.named_code import NamedCode
from ..serving.served_code import ServedCode
from ..serving.served_network import ServedNetwork
from .combination import Agreement, Origin
from .coverage import Coverage
from .fit_shortcuts import FittedShortcut
from .fit_temperature import Temperature
from .run_facts import RunFacts


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds, beside the number of its format.

    Attributes
    ----------
    run : RunFacts
    tuned : mapping
        Searched parameters and the values that were chosen.
    agreement : Agreement
    extractor : Origin
    created : str
        Time.
    classes : sequence of str
    network : ServedNetwork or ServedCode
    temperature : Temperature
    coverage : sequence of Coverage
    shortcuts : sequence of FittedShortcut
    pictures : bool
        Whether thumbnails of the training images are inside.
    code : sequence of NamedCode
        Modules that it needs and does not contain.
    """

    run: RunFacts
    tuned: Mapping[str, object]
    agreement: Agreement
    extractor: Origin
    created: str
    classes: Sequence[str]
    network: ServedNetwork | ServedCode
    temperature: Temperature
    coverage: Sequence[Coverage]
    shortcuts: Sequence[FittedShortcut]
    pictures: bool
    code: Sequence[NamedCode] = ()

    def to_mapping(self) -> dict[str, object]:
        """JSON-like."""
        return {
            **self.run.to_mapping(),
            "tuned": dict(self.tuned),
            "agreement": self.agreement.to_mapping(),
            "extractor": asdict(self.extractor),
            "created": self.created,
            "classes": list(self.classes),
            "network": self.network.to_mapping(),
            "temperature": self.temperature.to_mapping(),
            "coverage": [asdict(level) for level in self.coverage],
            "shortcuts": {one.name: {"names": one.columns} for one in self.shortcuts},
            "pictures": self.pictures,
            **({"code": [one.to_mapping() for one in self.code]} if self.code else {}),
        }
