"""What every network that is trained end to end promises, over the registry."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from leukobench.classifiers.cnns import CNNS
from leukobench.classifiers.cnns.inputs import as_images
from leukobench.errors import ConfigurationError, UnreadableImageError, WeightsError

NAMES = [name for name in CNNS.names() if CNNS.ships(name)]
SCRATCH: dict[str, Any] = {"size": 16, "filters": (4, 8), "hidden": 8}
PRETRAINED: dict[str, Any] = {"weights": "random", "hidden": 8}


def make(name: str, **said: Any) -> Any:
    few: dict[str, Any] = {"epochs": 1, "batch_size": 4}
    own = SCRATCH if name in ("custom_cnn", "binary_cnn") else PRETRAINED
    return CNNS.make(name, {**own, **few, **said}, {"random_state": 0})


def pictures(count: int = 12, size: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Reddish and bluish noise."""
    noise = np.random.default_rng(0).integers(0, 80, (count, size, size, 3))
    codes = np.arange(count) % 2
    noise[codes == 0, ..., 0] += 150
    noise[codes == 1, ..., 2] += 150
    return noise.astype(np.uint8), np.array(["red", "blue"])[codes]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_an_estimator(name: str) -> None:
    made = make(name)
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params()
    assert made.set_params(epochs=3).epochs == 3
    assert all(p.kind == p.KEYWORD_ONLY for p in inspect.signature(type(made)).parameters.values())
    assert inspect.getdoc(type(made)).count("Parameters\n-----") == 1
    with pytest.raises(NotFittedError):
        made.predict(pictures()[0])
    assert len(made.input_size) == 2
    assert {"keras", "code"} <= set(made.depends_on())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.thorough) if one == "vgg16_head" else one for one in NAMES]
)
def test_it_learns_from_labels_of_any_kind_and_gives_probabilities(name: str) -> None:
    images, labels = pictures()
    fitted = make(name).fit(images, labels)
    found = fitted.predict_proba(images[:5])
    assert found.shape == (5, 2)
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-5
    assert fitted.classes_.tolist() == ["blue", "red"]
    assert set(fitted.predict(images)) <= {"blue", "red"}
    assert fitted.parameters_ == fitted.model_.count_params()
    assert {epoch["phase"] for epoch in fitted.curve_} == {
        "from scratch" if name in ("custom_cnn", "binary_cnn") else "frozen"
    }
    coded = make(name).fit(images, np.where(labels == "red", 7, 3))
    np.testing.assert_array_equal(coded.predict_proba(images[:5]), found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"dropout": 1.0}, "dropout"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"oversample": "adasyn"}, "oversample"),
        ({"augment": {"twirl": 1}}, "unknown twirl"),
        ({"augment": {"flips": "no"}}, "flips must be true or false"),
        ({"epoch": 3}, "did you mean epochs"),
    ],
)
def test_mistakes_stop_before_any_work(name: str, said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make(name, **said)


def test_what_is_no_image_is_refused() -> None:
    images, labels = pictures()
    for wrong in (images[..., 0], images[..., :2], [], np.zeros((3, 4)), "folder"):
        with pytest.raises(ValueError, match=r"expected (images|an image)"):
            make("custom_cnn").fit(wrong, labels[: len(wrong)])
    with pytest.raises(ValueError, match="as many labels as inputs"):
        make("custom_cnn").fit(images, labels[:-1])
    with pytest.raises(ValueError, match="one class: red"):
        make("custom_cnn").fit(images[::2], labels[::2])


@pytest.mark.slow
def test_images_of_one_pixel_files_and_arrays_of_other_sizes_are_resized(tmp_path: Path) -> None:
    images, labels = pictures()
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    dot = np.full((1, 1, 3), 200, np.uint8)
    mixed = [tmp_path / "a.png", str(tmp_path / "a.png"), dot, images[1]]
    made = as_images(mixed, (20, 20), "bilinear")
    np.testing.assert_array_equal(made[0], images[0])
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[2] == 200).all()
    fitted = make("custom_cnn").fit(images, labels)
    assert np.isfinite(fitted.predict_proba([dot, *images[:2]])).all()
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(UnreadableImageError, match=r"b\.png"):
        fitted.predict([tmp_path / "b.png"])


def test_images_of_the_wanted_size_are_not_copied() -> None:
    images, _ = pictures(4, 16)
    assert as_images(images, (16, 16), "bilinear") is images


@pytest.mark.slow
def test_binary_cnn_tells_two_classes_apart_and_no_more() -> None:
    images, labels = pictures(24)
    fitted = make("binary_cnn", epochs=15, learning_rate=0.01, validation=0.0, dropout=0.0).fit(images, labels)
    assert fitted.model_.output.shape[-1] == 1
    assert (fitted.predict(images) == labels).mean() > 0.9
    with pytest.raises(ValueError, match="binary_cnn is for 2 classes; received 3"):
        make("binary_cnn").fit(images, np.arange(24) % 3)


@pytest.mark.slow
def test_custom_cnn_is_blocks_with_their_pooling_then_dense_layers() -> None:
    images, labels = pictures()
    kinds = [type(layer).__name__ for layer in make("custom_cnn").fit(images, labels).model_.layers]
    assert kinds.count("Conv2D") == kinds.count("MaxPooling2D") == 2
    assert kinds[-3:] == ["Dense", "Dropout", "Dense"]
    with pytest.raises(ConfigurationError, match="whole numbers"):
        make("custom_cnn", filters=(4.5, 8))
    with pytest.raises(ConfigurationError, match="has no parameter 'network'"):
        make("mobilenetv2_head", network="vgg16")
    with pytest.raises(ConfigurationError, match="4 halvings of 8 pixels"):
        make("custom_cnn", size=8, filters=(4, 4, 4, 4))


def test_weights_that_are_not_there_are_said_before_any_work() -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        make("mobilenetv2_head", weights="nowhere.weights.h5").depends_on()
