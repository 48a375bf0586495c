"""A bundle of a network of timm answers where neither timm nor PyTorch is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("timm")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "timm"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from leukobench.cli import main
main()
"""


def test_a_bundle_answers_without_timm_and_torch(smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm
    from safetensors.torch import save_file

    from leukobench.bundling.fit import fit
    from leukobench.features.extractors import make_extractor
    from leukobench.pipeline import run

    from ..conftest import small_experiment

    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    parameters = {"weights": str(tmp_path / "vit.safetensors"), "pooling": "cls+mean_patch"}
    experiment = small_experiment(
        smears, tmp_path, extractors=[{"timm:test_vit": parameters}], selectors=["none"], classifiers=["lda"]
    )
    folder = run(experiment, workers=1).folder
    bundle = fit(folder, None, tmp_path / "bundle.zip", workers=1).path
    images = sorted(smears.rglob("*.jpg"))[:6]
    command = [sys.executable, "-c", WITHOUT, "predict", bundle, *images, "--out", tmp_path / "p.csv"]
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "other"))
    answered = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert answered.returncode == 0, answered.stderr
    assert len(pd.read_csv(tmp_path / "p.csv")) == len(images)
    assert not (tmp_path / "other" / "networks").exists()

    from leukobench.serving.bundle import load

    served = load(bundle).network
    extractor = make_extractor("timm:test_vit", parameters)
    pixels = [extractor.read(path.read_bytes()) for path in images]
    np.testing.assert_array_equal(pixels, [served.read(path.read_bytes()) for path in images])
    with extractor.open(1) as ours, served.open(1) as theirs:
        np.testing.assert_allclose(list(ours.vectors(pixels)), list(theirs.vectors(pixels)), rtol=1e-5, atol=1e-6)
