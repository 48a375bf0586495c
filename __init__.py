"""leukobench: deep image features and classical classifiers, compared honestly and fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an editor completes; at run time each is imported when it is first asked for
    from .bundling.fit import fit
    from .config.experiment import Experiment
    from .errors import LeukobenchError
    from .features.deep_features import DeepFeatures
    from .pipeline import audit_images, run
    from .reporting.run_view import load_results
    from .serving.bundle import load
    from .studies.run_list import list_runs
    from .studies.track import track

__version__ = "0.1.0"

_PUBLIC = {
    "DeepFeatures": "leukobench.features.deep_features",
    "Experiment": "leukobench.config.experiment",
    "LeukobenchError": "leukobench.errors",
    "audit_images": "leukobench.pipeline",
    "fit": "leukobench.bundling.fit",
    "list_runs": "leukobench.studies.run_list",
    "load": "leukobench.serving.bundle",
    "load_results": "leukobench.reporting.run_view",
    "run": "leukobench.pipeline",
    "track": "leukobench.studies.track",
}
__all__ = [
    "DeepFeatures",
    "Experiment",
    "LeukobenchError",
    "__version__",
    "audit_images",
    "fit",
    "list_runs",
    "load",
    "load_results",
    "run",
    "track",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'leukobench' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
