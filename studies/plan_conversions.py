"""Conversions: networks are brought into OpenVINO's format by another process, while a plan does other things."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from ..errors import LeukobenchError
from ..features.extractors import make_extractor
from ..features.network_extractor import NetworkExtractor
from ..features.openvino_engine import OpenVINOEngine, converted_network
from ..features.together import together
from ..steps.score_controls import control_extractors

if TYPE_CHECKING:
    from ..config.experiment import Experiment

_ABSENT, _EMPTY = ("matplotlib", "pandas", "sklearn"), ("scipy", "scipy.signal")
"""What Keras imports if it can, or always, for what no conversion needs: half of the time that its own import takes."""


@contextlib.contextmanager
def converting(experiment: Experiment) -> Iterator[Any]:
    """Convert the networks that extract, for this and for later processes; those that are there take no time.

    Yields
    ------
    Future or None
        Done once all are converted, or have failed, as their extraction will then say; None where there are none.
    """
    from ..evaluation.network_runner import fresh_process

    networks: list[NetworkExtractor] = []
    with contextlib.suppress(LeukobenchError):  # whoever prepares the run meets the mistake again
        made = [make_extractor(choice.name, choice.parameters) for choice in experiment.extractors]
        made += control_extractors(experiment.evaluation).values()
        networks = [one for one in made if isinstance(one, NetworkExtractor) and one.engine == OpenVINOEngine.family]
    if not networks:
        yield None
        return
    with fresh_process() as process:
        yield process.submit(_convert_alone, networks)


def _convert_alone(networks: Sequence[NetworkExtractor]) -> None:
    for name in _ABSENT:
        sys.modules.setdefault(name, cast(Any, None))
    for name in _EMPTY:
        sys.modules.setdefault(name, ModuleType(name))
    gc.disable()  # a sixth of the time; the process ends with this
    convert(networks)


def convert(networks: Sequence[NetworkExtractor]) -> None:
    """Convert each network with the poolings that one pass over the images will want of it."""
    groups: list[Sequence[Any]] = [group.members for group in together(networks)]
    groups += [[network] for network in networks if not any(network in group for group in groups)]
    for group in groups:
        with contextlib.suppress(LeukobenchError):
            converted_network(group[0].network, group[0].weights, [network.pooling for network in group])
