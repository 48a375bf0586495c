"""Probe methods: refuse selectors and classifiers of the user's own that use what they are tested on."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from ..classifiers import CLASSIFIERS
from ..config.experiment import Experiment
from ..errors import ConfigurationError
from ..evaluation.methods import Method
from ..evaluation.probe import UNSTEADY, probe
from ..registry import Registry
from ..runs.workspace import Workspace
from ..selection import SELECTORS
from ..storage import cache_folder, digest

_log = logging.getLogger(__name__)
_VERSION = 1
_PACKAGES = ("sklearn", "xgboost", "imblearn")
"""Whose estimators are probed by the tests of leukobench, or by their own."""


def probe_methods(
    experiment: Experiment, methods: tuple[Sequence[Method], Sequence[Method]], workspace: Workspace
) -> None:
    """Fit each plug-in to a few drawn numbers and see whether what it says of one row changes with the other rows.

    Each is fitted in a process of its own, and once: what was found is kept in the cache.

    Parameters
    ----------
    experiment : Experiment
    methods : tuple of sequence of Method
        Its selectors and its classifiers, unfitted, in its order.
    workspace : Workspace

    Raises
    ------
    ConfigurationError
        One of them leaks.
    """
    own = [*_own(SELECTORS, experiment.selectors, methods[0]), *_own(CLASSIFIERS, experiment.classifiers, methods[1])]
    targets = {
        method.label: cache_folder() / "probes" / f"{digest([_VERSION, dict(method.identity)])}.json" for method in own
    }
    pieces = [(method.estimator, targets[method.label]) for method in own if not targets[method.label].exists()]
    if pieces:
        with workspace.progress("probing your own methods", len(pieces)) as advance:
            for _ in workspace.here().executor.map(probe, pieces, lambda position, stop: None):
                advance(1)
    for method in own:
        if targets[method.label].exists():
            _judge(method, json.loads(targets[method.label].read_text(encoding="utf-8")))


def _own(registry: Registry, choices: Sequence[object], methods: Sequence[Method]) -> list[Method]:
    names = [getattr(choice, "name", "") for choice in choices]
    return [
        method
        for name, method in zip(names, methods, strict=True)
        if not registry.ships(name) and type(method.estimator).__module__.partition(".")[0] not in _PACKAGES
    ]


def _judge(method: Method, leaks: list[str]) -> None:
    if leaks == [UNSTEADY]:
        _log.warning("%s: %s; give it a parameter random_state to be seeded by.", method.label, UNSTEADY)
    elif leaks:
        raise ConfigurationError(
            f"{method.label} uses what it is tested on, so that its scores would be too high: {'; '.join(leaks)}.",
            expected="what is learnt is learnt in fit; transform and predict treat each row by itself",
            received=f"{type(method.estimator).__module__}.{type(method.estimator).__qualname__}",
            fix="move what it learns from several rows into fit, or leave it out.",
        )
