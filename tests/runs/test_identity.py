"""What computes the answer and the report of a run decides whether a finished one is taken as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukobench import machine
from leukobench.classifiers import CLASSIFIERS
from leukobench.classifiers.cnns import CNNS
from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.metrics import METRICS
from leukobench.machine import imported_modules
from leukobench.reporting.report.sections import SECTIONS
from leukobench.runs.identity import run_digest
from leukobench.selection import SELECTORS

OTHERS = {"app", "bundling", "cli", "serving", "studies", "tests", "benchmarks", "build", "docs", "results"}
"""Packages that start from runs and change nothing in them; folders that are no packages."""
TAKE_NO_PART = {
    "__main__": "calls the command line",
    "evaluation.leaks": "computes the study of leaks",
    "evaluation.statistics.calibration_line": "computes external tests of a finished run or a bundle",
    "evaluation.statistics.class_shares": "computes external tests",
    "evaluation.statistics.curves": "computes the learning curve of a finished run",
    "evaluation.statistics.recalibration": "computes external tests",
    "evaluation.statistics.several_data_sets": "compares finished runs",
    "evaluation.statistics.shifts": "computes external tests",
    "evaluation.subsamples": "draws the images of the learning curve",
    "features.cache_health": "looks at the cache for the doctor",
    "features.onnx_extractor": "an extractor, whose identity speaks for it",
    "networks.onnx_file": "read by an extractor, whose identity speaks for it",
    "features.deep_features": "a transformer for pipelines of the user's own",
    "images.datasets": "lists public sets",
    "images.drawing": "draws the images of examples",
    "images.synthetic": "draws the images of examples",
    "images.synthetic_sites": "draws the images of examples",
    "reporting.critical_difference": "draws the comparison of finished runs",
    "reporting.learning_curve": "draws the learning curve",
    "reporting.leakage_figure": "draws the study of leaks",
    "reporting.run_facts": "lists finished runs",
    "reporting.screen": "prints what is computed",
    "steps.catalogue": "lists names",
    "steps.extractor_list": "lists names",
}
"""Module of the packages that runs consist of -> why it takes no part in any."""
REGISTRIES = (SELECTORS, CLASSIFIERS, CNNS, SECTIONS)


def state() -> str:
    """Digest of a run of everything that is shipped."""
    names = {registry.listed_as: registry.shipped_names() for registry in (SELECTORS, CLASSIFIERS, CNNS)}
    return run_digest(for_folder(Path("images"), **names), [], [], "images", (METRICS, SECTIONS))


def test_limits_of_the_fits_are_in_no_identity() -> None:
    limited = for_folder(Path("images"), evaluation={"limits": {"seconds": 600, "memory": "4GB"}})
    plain = for_folder(Path("images"))
    others = for_folder(Path("images"), evaluation={"folds": 4})
    states = [run_digest(one, [], [], "images") for one in (limited, plain, others)]
    assert states[0] == states[1] != states[2]


def computing() -> set[str]:
    """Modules that compute a run: imported by the pipeline, or named in a registry."""
    named = [registry.module(name) for registry in REGISTRIES for name in registry.shipped_names()]
    return set(frozenset().union(*map(imported_modules, ["pipeline", *named])))


def test_every_module_takes_part_in_a_run_or_says_why_not() -> None:
    root = Path(machine.__file__).parent
    sources = [path.relative_to(root).with_suffix("").parts for path in root.rglob("*.py")]
    modules = {".".join(part for part in parts if part != "__init__") for parts in sources if parts[0] not in OTHERS}
    present = {module for module in modules if module and not module.startswith(".")}
    assert present - computing() == set(TAKE_NO_PART)


@pytest.mark.slow
def test_an_edited_module_makes_a_run_be_computed_again(edit: Any) -> None:
    before, lacking = state(), []
    for module in sorted(computing())[::8]:
        edit(module)
        after = state()
        lacking += [module] if after == before else []
        before = after
    assert not lacking


def test_other_modules_do_not_make_a_run_be_computed_again(edit: Any) -> None:
    before = state()
    for module in ("reporting.screen", "serving.bundle", "app.explore", "cli.run"):
        edit(module)
    assert state() == before


def test_an_edited_metric_of_a_plug_in_is_another_run(install: Any) -> None:
    code = "from leukobench.evaluation.metrics import METRICS\nSAME = METRICS.get('accuracy')\n"
    source = install("kept_metric", code, {"leukobench.metrics": {"same": "kept_metric:SAME"}}) / "kept_metric.py"
    before = METRICS.source_digest("same")
    source.write_text(source.read_text() + "# edited\n")
    assert before
    assert METRICS.source_digest("same") != before
