"""What decides the results of a whole run, so that a finished one is recognised without fitting anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import __version__
from ..config.experiment import Experiment
from ..evaluation.grid import network_versions, software_versions
from ..evaluation.methods import Method
from ..machine import code_digest
from ..registry import Registry
from ..storage import digest

_DECIDING = ("extractors", "selectors", "classifiers", "cnns", "evaluation")
"""Parts of an experiment file: its name and folders decide no number."""


def run_digest(
    experiment: Experiment,
    extractors: Iterable[Mapping[str, Any]],
    networks: Sequence[Method],
    images: str,
    plugins: Iterable[str],
) -> str:
    """SHA-256 (hex) of everything that decides the results of a run.

    Parameters
    ----------
    experiment : Experiment
    extractors : iterable of mapping
        Identity of each.
    networks : sequence of Method
        That are trained end to end.
    images : str
        Digest of the index.
    plugins : iterable of str
        Digests of the source of selectors and classifiers that leukobench does not ship.
    """
    mapping = experiment.to_mapping()
    decides = [mapping[part] for part in _DECIDING] + [mapping["images"]["pseudo_patients"]]
    identities: list[Any] = [dict(identity) for identity in extractors]
    identities += [[method.identity, network_versions()] for method in networks]
    code = code_digest("pipeline")  # what is computed from stored predictions is computed again after a change
    return digest([decides, identities, list(plugins), images, software_versions(), code, __version__])


def plugin_sources(registry: Registry, names: Iterable[str]) -> list[str]:
    """Digests of the source of those of `names` that leukobench does not ship."""
    return [registry.source_digest(name) for name in names if not registry.ships(name)]
