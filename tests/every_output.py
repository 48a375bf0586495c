"""Small runs and studies that write nearly every file that leukobench can write, by its commands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from leukobench import pipeline
from leukobench.cli import cli
from leukobench.images.synthetic import Smears, draw
from leukobench.images.synthetic_sites import Sites
from leukobench.reporting.report.page import write_report
from leukobench.studies import external

from .conftest import PLUGIN

COMMON: dict[str, Any] = {
    "plugins": [str(PLUGIN)],
    "extractors": ["example_plugin:Colours"],
    "selectors": ["none", {"anova": {"n_features": 3}}],
    "classifiers": ["naive_bayes", {"knn": {"n_neighbors": {"search": [1, 3]}}}],
}
OF_RUNS: dict[str, dict[str, Any]] = {
    "sites": {
        "evaluation": {"leave_out": "site", "views": "winner", "view_images": 100, "holdout": 0.1},
    },
    "split": {"selectors": ["none"], "evaluation": {"split": "given"}},
    "permuted": {"classifiers": ["naive_bayes"], "evaluation": {"permute": True, "permutations": 5}},
    "others": {"classifiers": ["naive_bayes"], "evaluation": {"repeats": 5}},
}
"""Name of a run -> what its experiment has besides `COMMON`."""
GROUP = r"-(P\d+)_"


def write_every_output(folder: Path) -> None:
    """Write images, experiments and then the output of each command below a new folder; one run has its report."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pipeline, external):
            patch.setattr(module, "write_report", _report_of_sites)
        _write(folder)


def _report_of_sites(folder: Path) -> None:
    if folder.name == "sites" and not (folder / "report.html").exists():
        write_report(folder)


def _write(folder: Path) -> None:
    images = _draw(folder / "images")
    others = _draw(folder / "others", images=40)
    sources = {"sites": images, "split": _with_split(images, folder / "split.csv")}
    for name, settings in OF_RUNS.items():
        section = {"folder": str(sources.get(name, others))} | ({} if name == "split" else {"group": GROUP})
        evaluation = {"folds": 2, "resamples": 100, "views": "off", "controls": "off"} | settings.get("evaluation", {})
        _write_experiment(folder, name, settings | {"images": section, "evaluation": evaluation})
        if name == "others":
            command("run", folder / f"{name}.yaml", "--plan", "--workers", 1)
        command("run", folder / f"{name}.yaml", "--workers", 1)
    _write_experiment(folder, "leaks", {"images": str(others), "classifiers": ["lda"], "evaluation": {"folds": 2}})
    command("leakage", folder / "leaks.yaml", "--size", 30, "--repeats", 1, "--no-all", "--workers", 1)
    _study(folder, folder / "results" / "sites", images)


def _study(folder: Path, run: Path, images: Path) -> None:
    """What commands write of a run: besides its own files, those that lie elsewhere."""
    bundle, code = run / "model", ("--allow-code", "example_plugin")
    combination = ("example_plugin:Colours", "none", "naive_bayes")
    command("fit", run, "--combination", *combination, "--pictures", "--workers", 1)
    for ending in ("csv", "parquet", "json"):
        command("predict", bundle, images / "Pro", "--group", GROUP, "--out", folder / f"predictions.{ending}", *code)
    command("explain", bundle, next(images.rglob("*.jpg")), "--out", folder / "explanations", *code)
    command("external", run, folder / "others", "--group", GROUP, "--name", "others", "--best", 2, "--workers", 1)
    command("features", run, "--out", folder / "features.parquet", "--workers", 1)
    command("audit", images, "--results", folder / "results", "--workers", 1)
    command("learning-curve", run, "--draws", 2, "--best", 2, "--workers", 1)
    again = shutil.copytree(run, run.with_name("again"))
    command("compare", run, again, "--out", folder / "same")
    shutil.rmtree(again)
    command("compare", run, run.with_name("others"), "--out", folder / "several")


def _write_experiment(folder: Path, name: str, settings: dict[str, Any]) -> None:
    experiment = COMMON | settings | {"results": str(folder / "results")}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(experiment))


def _draw(folder: Path, images: int = 120) -> Path:
    """Smears of two sites, a copy of one, and a file that is no image."""
    draw(folder, Smears(images, images // 3, images, 64, Sites(2, 0.5)))
    picture = next(folder.rglob("*.jpg"))
    shutil.copy(picture, picture.with_name(f"{picture.stem[:-4]}9999.jpg"))
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def _with_split(folder: Path, target: Path) -> Path:
    """A manifest: of each class one patient in six is for validation, two are for the test, one of them in training."""
    paths = sorted(folder.rglob("synthetic*.jpg"))
    rows = pd.DataFrame({"path": map(str, paths), "label": [path.parent.name for path in paths]})
    rows["patient"] = rows["path"].str.extract(GROUP)
    rows["split"] = rows.groupby("label")["patient"].transform(lambda own: own.rank(method="dense")).clip(upper=4)
    rows["split"] = rows["split"].map({1: "valid", 2: "test", 3: "test", 4: "train"})
    rows.loc[rows.index[rows["split"] == "test"][:2], "split"] = "train"
    rows.to_csv(target, index=False)
    return target


def command(*words: Any) -> None:
    """Run a command of leukobench, which has to succeed."""
    outcome = CliRunner().invoke(cli, [*map(str, words)], catch_exceptions=False)
    assert outcome.exit_code == 0, f"{words}\n{outcome.output}"
