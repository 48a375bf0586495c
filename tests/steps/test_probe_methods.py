"""A plug-in that leaks is refused before the grid, once and for all runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import ConfigurationError
from leukobench.pipeline import run

SOURCE = """
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler


class Leaky(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return StandardScaler().fit_transform(X)


class Sound(StandardScaler):
    pass
"""


def test_a_leaky_plug_in_is_refused_before_the_grid(
    experiment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "probed_plugin.py").write_text(SOURCE)
    common = {"plugins": [tmp_path / "mine", *experiment().plugins], "classifiers": ["naive_bayes"]}
    with pytest.raises(ConfigurationError, match=r"(?s)probed_plugin:Leaky uses what it is tested on.*other test im"):
        run(experiment(selectors=["none", "probed_plugin:Leaky"], **common), workers=1)
    assert not (tmp_path / "results" / "trial" / "records").exists()
    assert not (tmp_path / "seen").exists(), "no image was read"
    monkeypatch.setattr("leukobench.steps.probe_methods.probe", None)  # what was found is kept
    with pytest.raises(ConfigurationError, match="uses what it is tested on"):
        run(experiment(selectors=["probed_plugin:Leaky"], **common), workers=1)
