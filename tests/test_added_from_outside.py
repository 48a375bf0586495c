"""One of each kind from a package of others, through the command line to the report, without a change of leukobench."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from leukobench.cli import cli

from .plugin.installed import installed

SOURCE = '''
"""What a newcomer writes: one of each kind."""

import contextlib
import io
from pathlib import PurePosixPath

import click
import numpy as np
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_selection import VarianceThreshold
from sklearn.naive_bayes import GaussianNB

from leukobench.images.files import Listing, Row


class Stains:
    """Mean colours of a thumbnail, times a factor."""

    description = "stains; no network"
    feature_names = ("red", "green", "blue")

    def __init__(self, factor=1.0):
        self.factor = factor
        self.identity = {"name": "stains", "version": 1, "factor": factor}

    def read(self, data):
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((8, 8)), np.float32)

    @contextlib.contextmanager
    def open(self, threads):
        yield self

    def vectors(self, images):
        for image in images:
            yield self.factor * image.mean(axis=(0, 1))


def varied(least=0.0):
    """Features that vary."""
    return VarianceThreshold(least)


class Flat(GaussianNB):
    """Naive Bayes with a search space of its own."""

    search_space = {"var_smoothing": [1e-3, 1e-1]}

    def __init__(self, var_smoothing=1e-3):
        super().__init__(var_smoothing=var_smoothing)


class Twins:
    """Folders, and numbers that are patients."""

    shape = "<class>/<any>-<patient>_<number>"

    def matches(self, files):
        return False

    def read(self, files):
        rows = [Row(p, PurePosixPath(p).parent.name, PurePosixPath(p).stem.split("_")[0]) for p in files.images]
        return Listing(rows, [], "patient from the file name (twins)")


class Means(ClassifierMixin, BaseEstimator):
    """A network on pixels: nearest mean colour."""

    input_size = (8, 8)

    def fit(self, X, y):
        colours = self._colours(X)
        self.classes_ = np.unique(y)
        self.means_ = np.stack([colours[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict_proba(self, X):
        near = np.exp(-np.linalg.norm(self._colours(X)[:, None] - self.means_[None], axis=2) / 10) + 1e-9
        return near / near.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @staticmethod
    def _colours(X):
        return np.stack([np.asarray(X[np.array([k])], float)[0].mean(axis=(0, 1)) for k in range(len(X))])


@click.command()
@click.argument("name")
def greet(name):
    """Greet NAME."""
    click.echo(f"Hello, {name}.")
'''
ENTRY_POINTS = {
    "extractors": {"stains": "Stains"},
    "selectors": {"varied": "varied"},
    "classifiers": {"flat": "Flat"},
    "cnns": {"means": "Means"},
    "layouts": {"twins": "Twins"},
    "commands": {"greet": "greet"},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the installed package."""
    points = {
        f"leukobench.{family}": {name: f"newcomers_kinds:{item}" for name, item in items.items()}
        for family, items in ENTRY_POINTS.items()
    }
    return installed(tmp_path_factory.mktemp("site"), "newcomers_kinds", SOURCE, points)


def leukobench(path: Path, *arguments: str) -> str:
    """What the command prints, with the package installed."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "leukobench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_every_kind_is_listed_and_a_command_is_called(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(path))
    for family, names in ENTRY_POINTS.items():
        listed = CliRunner().invoke(cli, ["list", family]).output.splitlines()
        assert {line.split()[0] for line in listed if line} >= names.keys()
    assert CliRunner().invoke(cli, ["greet", "you"]).output == "Hello, you.\n"


@pytest.mark.slow
def test_one_of_each_kind_goes_through_a_run_to_the_report(path: Path, smears: Path, tmp_path: Path) -> None:
    experiment = {
        "images": {"folder": str(smears), "layout": "twins"},
        "extractors": [{"stains": {"factor": 2.0}}],
        "selectors": ["varied"],
        "classifiers": ["flat"],
        "cnns": ["means"],
        "evaluation": {"folds": 2, "tuning": "grid", "resamples": 100, "controls": "off"},
        "results": str(tmp_path / "results"),
    }
    file = tmp_path / "outside.yaml"
    file.write_text(yaml.safe_dump(experiment))
    screen = leukobench(path, "run", str(file), "--workers", "1")
    run = tmp_path / "results" / "outside"
    leaderboard = pd.read_csv(run / "leaderboard.csv")
    ranked = leaderboard[leaderboard["kind"] == "combination"]
    assert set(ranked["classifier"]) == {"flat", "means"}
    assert (ranked["status"] == "ok").all()
    assert "twins" in screen
    report = (run / "report.html").read_text()
    assert all(name in report for name in ("stains", "varied", "flat", "means", "twins"))
    assert pd.read_parquet(run / "images.parquet")["patient"].str.startswith("synthetic-P").all()
    assert "Nothing to compute" in leukobench(path, "run", str(file), "--workers", "1")
