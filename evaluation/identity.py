"""What decides the numbers of a record beside its features, its fold and the rules: code, libraries, a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from ..machine import DECIDE_NOTHING, code_digest, has_gpu
from ..registry import Registry

RUNNER, NETWORK_RUNNER = "evaluation.runner", "evaluation.network_runner"
"""Modules that compute records; what they import decides, too."""
_LEARNING = ("imbalanced-learn", "scikit-learn", "scikit-learn-intelex", "xgboost-cpu", "xgboost")
_DISTRIBUTIONS = {RUNNER: ("numpy", "scipy", *_LEARNING), NETWORK_RUNNER: ("numpy", "scikit-learn")}
"""Networks that are trained end to end say themselves on which backend they depend."""


def runner_software(runner: str = RUNNER) -> dict[str, str]:
    """Versions of the libraries, and digest of the code, by which `runner` computes records of any method."""
    versions = installed_versions(_DISTRIBUTIONS[runner])
    versions["leukobench code"] = code_digest(runner, apart_from=DECIDE_NOTHING)[:16]
    return versions | {"gpu": "shown"} if has_gpu() else versions


def method_code(registry: Registry, name: str) -> str:
    """Digest of the code that defines a selector or classifier; a shipped one is not imported for it."""
    module = registry.module(name)
    return code_digest(module, apart_from=DECIDE_NOTHING)[:16] if module else registry.source_digest(name)


def installed_versions(distributions: Sequence[str]) -> dict[str, str]:
    """Versions of those distributions that are installed."""
    versions = {}
    for name in distributions:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
