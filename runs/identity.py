"""What decides the results of a whole run, so that a finished one is recognised without fitting anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import __version__
from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.experiment import CHOICES, Experiment
from ..config.images import COPIES
from ..config.presets import preset_words
from ..evaluation.identity import NETWORK_RUNNER, RUNNER, method_code, runner_software
from ..evaluation.methods import Method
from ..machine import code_digest
from ..registry import Registry
from ..selection import SELECTORS
from ..storage import digest

_DECIDING = (*CHOICES, "evaluation")
"""Parts of an experiment file: its name and folders decide no number, nor do limits of the fits."""


def run_digest(
    experiment: Experiment,
    extractors: Iterable[Mapping[str, Any]],
    networks: Iterable[Method],
    images: str,
    registries: Iterable[Registry] = (),
    decisions: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """SHA-256 (hex) of everything that decides the results of a run.

    Parameters
    ----------
    experiment : Experiment
    extractors : iterable of mapping
        Identity of each.
    networks : iterable of Method
        That are trained end to end.
    images : str
        Digest of the index.
    registries : iterable of Registry
        Of which every name takes part in any run, such as the metrics and the sections of the report.
    decisions : mapping, optional
        Of a person on pairs of copies: two image ids -> ``"same"`` or ``"different"``.
    """
    mapping = experiment.to_mapping()
    return digest(
        [
            [*deciding_parts(experiment), mapping["images"]["pseudo_patients"], *_stated(experiment)],
            sorted([*pair, decision] for pair, decision in (decisions or {}).items()),
            mapping["images"]["copies"] if mapping["images"]["copies"] in COPIES else "group",
            mapping["images"]["label_conflicts"],
            [dict(identity) for identity in extractors],
            [method.identity for method in networks],
            images,
            _method_codes(experiment),
            [runner_software(runner) for runner in (RUNNER, NETWORK_RUNNER)],
            _pipeline_code(registries),  # what is computed from stored predictions is computed again after a change
            __version__,
        ]
    )


def _stated(experiment: Experiment) -> list[str]:
    """What the answer says of a preset."""
    return [words] if (words := preset_words(experiment)) else []


def deciding_parts(experiment: Experiment) -> list[Any]:
    """What an experiment file says that decides numbers: combinations and evaluation, without limits of the fits."""
    mapping = experiment.to_mapping()
    mapping["evaluation"].pop("limits")
    return [mapping[part] for part in _DECIDING]


def _pipeline_code(registries: Iterable[Registry]) -> list[str]:
    names = [(registry, name) for registry in registries for name in registry.names()]
    shipped = [module for registry, name in names if (module := registry.module(name))]
    others = [registry.source_digest(name) for registry, name in names if not registry.ships(name)]
    return [code_digest("pipeline", *shipped), *others]


def _method_codes(experiment: Experiment) -> list[str]:
    chosen = (SELECTORS, experiment.selectors), (CLASSIFIERS, experiment.classifiers), (CNNS, experiment.cnns)
    return [method_code(registry, choice.name) for registry, choices in chosen for choice in choices]
