from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from leukobench import DeepFeatures
from leukobench.errors import ConfigurationError, UnreadableImageError
from leukobench.features.extractors import make_extractor
from leukobench.networks import NETWORKS


@pytest.fixture(scope="module")
def paths(smears: Path) -> list[Path]:
    return sorted(smears.rglob("*.jpg"))[::6]


@pytest.mark.slow
def test_paths_become_vectors_in_order(paths: list[Path], tmp_path: Path) -> None:
    features = DeepFeatures(pooling="multilevel")
    vectors = features.fit_transform(paths)
    assert vectors.shape == (len(paths), 1536)
    assert vectors.dtype == np.float32
    copies = [Path(shutil.copy(path, tmp_path / f"{n}.jpg")) for n, path in enumerate(reversed(paths))]
    np.testing.assert_array_equal(features.transform([str(path) for path in copies]), vectors[::-1])
    assert len(features.get_feature_names_out()) == 1536


@pytest.mark.slow
def test_it_is_a_step_of_anybodys_pipeline(paths: list[Path]) -> None:
    labels = [path.parent.name for path in paths]
    model = clone(make_pipeline(DeepFeatures(n_jobs=1), GaussianNB())).fit(paths, labels)
    assert set(model.predict(paths)) <= set(labels)


def test_frames_come_out_on_request(paths: list[Path]) -> None:
    frame = DeepFeatures().set_output(transform="pandas").fit_transform(paths[:2])
    assert list(frame.columns[:2]) == ["avg_0000", "avg_0001"]


def test_random_weights_are_called_random() -> None:
    assert "RANDOM (seed 7)" in DeepFeatures(weights="random:7").fit([]).description_
    assert "ImageNet" in DeepFeatures().fit([]).description_


def test_a_bad_file_is_named(paths: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(paths[0].read_bytes()[:500])
    with pytest.raises(UnreadableImageError, match=r"1 of 2 files.*\n.*bad\.jpg"):
        DeepFeatures().fit_transform([paths[0], bad])
    with pytest.raises(UnreadableImageError, match="absent"):
        DeepFeatures().fit_transform([tmp_path / "absent.jpg"])


@pytest.mark.parametrize("name", [*NETWORKS.names(), "resnet50v2", "efficientnetb0"])
def test_every_extractor_says_what_it_is(name: str) -> None:
    extractor = make_extractor(name, {"weights": "random"})
    assert "RANDOM" in extractor.description
    assert extractor.identity["network"]["name"] == name
    assert extractor.identity != make_extractor(name, {"weights": "random", "pooling": "max"}).identity


@pytest.mark.parametrize(
    "parameters", [{"precision": "float16"}, {"pooling": "median"}, {"engine": "fast"}, {"size": 3}]
)
def test_unknown_choices_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        make_extractor("mobilenetv2", {"weights": "random"} | parameters)
