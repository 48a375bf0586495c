"""A finished run over a tiny network, and the bundle of its winner."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joblib.externals.loky import get_reusable_executor

PLUGIN = Path(__file__).parent.parent / "plugin"
EXTRACTOR = {"tiny_network:TINY": {"pooling": "multilevel"}}


@pytest.fixture(scope="session")
def tiny(own_cache: Path) -> Iterator[None]:
    """Make ``tiny_network`` importable here and in worker processes."""
    before = os.environ.get("PYTHONPATH")
    sys.path.insert(0, str(PLUGIN))
    os.environ["PYTHONPATH"] = str(PLUGIN)
    get_reusable_executor().shutdown()
    yield
    sys.path.remove(str(PLUGIN))
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def tiny_experiment(tiny: None, smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make an experiment on the tiny network over `folder`, the smears by default."""
    from leukobench.config.experiment_file import for_folder

    results = tmp_path_factory.mktemp("results")

    def make(folder: Path = smears, **said: Any) -> Any:
        settings = {
            "name": "tiny",
            "results": results,
            "extractors": [EXTRACTOR],
            "selectors": ["none", {"anova": {"n_features": 20}}],
            "classifiers": ["logistic_regression", "svm_linear", "naive_bayes"],
            "evaluation": {"folds": 3, "resamples": 100},
            "images": {"group": r"synthetic-(P\d+)"},
        }
        return for_folder(folder, **(settings | said))

    return make


@pytest.fixture(scope="session")
def tiny_run(tiny_experiment: Any) -> Path:
    """Folder of the finished run."""
    from leukobench.pipeline import run

    return run(tiny_experiment(), workers=1).folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of none x logistic regression, with pictures."""
    from leukobench.bundling.fit import fit

    names = ("tiny_network:TINY(pooling=multilevel)", "none", "logistic_regression")
    return fit(tiny_run, names, tmp_path_factory.mktemp("bundles") / "tiny", pictures=True, workers=1).path
