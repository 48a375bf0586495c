"""Averaging over orientations: a turned picture has the same vector."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.features.extractors import make_extractor
from leukobench.features.orientations import views
from leukobench.features.together import together
from leukobench.images.reading import read_image, resize


def lite(**said: object) -> object:
    return make_extractor("efficientnet_lite0", said)


def test_there_are_eight_different_views() -> None:
    image = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    assert len({view.tobytes() for view in views(image)}) == 8
    assert {view.tobytes() for view in views(image)} == {view.tobytes() for view in views(image[::-1])}


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["average", "multilevel"])
def test_the_vector_is_the_mean_over_the_views_and_does_not_turn(smears: Path, pooling: str) -> None:
    image = resize(read_image(sorted(smears.rglob("*.jpg"))[0]), (224, 224))
    with lite(pooling=pooling).open(1) as engine:
        alone = np.stack(list(engine.vectors(views(image))))
    turned = [image, np.ascontiguousarray(np.rot90(image)), np.ascontiguousarray(image[:, ::-1])]
    with lite(pooling=pooling, orientations=8).open(1) as engine:
        first, *others = engine.vectors(turned)
        assert len(engine.feature_names) == len(first)
    np.testing.assert_allclose(first, alone.mean(axis=0), rtol=1e-5, atol=1e-6)
    assert np.abs(alone - first).max() > 1e-2, "single views do differ"
    for vector in others:
        np.testing.assert_allclose(vector, first, rtol=1e-5, atol=1e-6)


def test_orientations_are_a_part_of_the_identity_and_of_the_words() -> None:
    one, eight = lite(), lite(orientations=8)
    assert "orientations" not in one.identity
    assert one.identity != eight.identity
    assert "8 orientations averaged" in eight.description
    assert together([one, lite(orientations=8, pooling="max")]) == []
    (group,) = together([eight, lite(orientations=8, pooling="max")])
    assert len(group.members) == 2


@pytest.mark.parametrize("orientations", [0, 2, 4, True, "8"])
def test_other_numbers_are_refused(orientations: object) -> None:
    with pytest.raises(ConfigurationError, match="orientations"):
        lite(orientations=orientations)


@pytest.mark.slow
def test_deep_features_average_too(smears: Path) -> None:
    from leukobench.features.deep_features import DeepFeatures

    paths = sorted(smears.rglob("*.jpg"))[:2]
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}) == 2
    one, eight = (DeepFeatures(orientations=count).fit_transform(paths) for count in (1, 8))
    assert one.shape == eight.shape
    assert not np.allclose(one, eight)
