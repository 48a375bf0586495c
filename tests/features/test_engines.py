"""Engines agree with Keras's own networks, keep the order, stream, and start fast the second time."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from leukobench.errors import ConfigurationError, EngineError, ExtractionError
from leukobench.features import engines
from leukobench.features.engines import choose_engine, engine_family, open_engine
from leukobench.networks import frameworks, get_network, openvino_ir
from leukobench.networks.build import build
from leukobench.networks.weights import locate
from leukobench.storage import cache_folder

LITE = get_network("efficientnet_lite0")


def pictures(network, count=3):
    """Noise, and smooth colours."""
    rng = np.random.default_rng(0)
    height, width = network.input_size
    noise = rng.integers(0, 256, (count - 1, height, width, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, height)[:, None, None] * np.ones((1, width, 3))
    return [*noise, ramp.astype(np.uint8)]


@pytest.fixture(scope="module")
def lite():
    with open_engine(LITE, locate(LITE), ["multilevel"], engine="openvino", threads=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def images():
    return pictures(LITE, 7)


def assert_agreement(name):
    import keras

    network = get_network(name)
    weights = locate(network, "random:5")
    function = getattr(keras.applications, network.title)
    theirs = function(include_top=False, weights=None, pooling="avg", input_shape=(*network.input_size, 3))
    theirs.set_weights(build(network, weights).get_weights())
    images = pictures(network, 2)
    inputs = sys.modules[function.__module__].preprocess_input(np.stack(images).astype(np.float32))
    expected = theirs.predict(inputs, verbose=0)
    for kind in ("openvino", "keras"):
        with open_engine(network, weights, ["average"], engine=kind, threads=2) as engine:
            vectors = np.stack(list(engine.vectors(images)))
        assert np.abs(vectors - expected).max() <= 1e-5 * np.abs(expected).max(), engine.name


@pytest.mark.slow
def test_engines_agree_with_mobilenetv2_of_keras():
    assert_agreement("mobilenetv2")


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["inceptionv3", "resnet101", "vgg19", "densenet121", "vgg16"])
def test_engines_agree_with_the_networks_of_keras(name):
    assert_agreement(name)


@pytest.mark.slow
def test_the_engines_agree_on_the_bundled_network(images):
    outputs = []
    for kind in ("openvino", "keras"):
        with open_engine(LITE, locate(LITE), ["average", "max", "multilevel"], engine=kind, threads=2) as engine:
            outputs.append((np.stack(list(engine.vectors(images))), engine.feature_names))
    assert outputs[0][1] == outputs[1][1]
    pairs = zip(*(np.split(vectors, [1280, 2560], axis=1) for vectors, _ in outputs), strict=True)
    for one, other in pairs:
        assert np.abs(one - other).max() <= 1e-5 * np.abs(other).max()


def test_an_engine_says_what_it_is(lite):
    assert lite.name == f"OpenVINO {frameworks.short_version('openvino')} float32, CPU"
    assert lite.family == engine_family("openvino") == "openvino"
    assert len(lite.feature_names) == 1536


def test_vectors_depend_neither_on_the_order_nor_on_the_threads(lite, images):
    forward = np.stack(list(lite.vectors(images)))
    backward = np.stack(list(lite.vectors(images[::-1])))
    np.testing.assert_array_equal(forward, backward[::-1])
    assert forward.dtype == np.float32
    with open_engine(LITE, locate(LITE), ["multilevel"], engine="openvino", threads=1) as single:
        np.testing.assert_array_equal(forward, np.stack(list(single.vectors(iter(images)))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["openvino", "keras"])
def test_images_are_taken_only_a_few_ahead(images, kind):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield images[0]

    with open_engine(LITE, locate(LITE), ["average"], engine=kind, threads=2) as engine:
        assert len(list(islice(engine.vectors(endless()), 20))) == 20
        assert len(taken) <= 20 + 8
        assert list(engine.vectors([])) == []


@pytest.mark.parametrize("image", [np.zeros((64, 64, 3), np.uint8), np.zeros((224, 224, 3), np.float32)])
def test_an_image_that_does_not_fit_is_refused(lite, image):
    with pytest.raises(ExtractionError, match=r"expected: uint8 \(224, 224, 3\)"):
        list(lite.vectors([image]))


def test_float32_is_not_shortened(lite):
    assert lite._compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


def test_bfloat16_on_request(images, lite):
    try:
        engine = open_engine(LITE, locate(LITE), ["multilevel"], "bfloat16", "openvino", 2)
    except EngineError as error:
        assert "cannot compute in bfloat16" in str(error)  # noqa: PT017
        return
    exact = np.stack(list(lite.vectors(images)))
    short = np.stack(list(engine.vectors(images)))
    assert "bfloat16" in engine.name
    assert 0 < np.linalg.norm(short - exact) < 0.05 * np.linalg.norm(exact)


def ir_folders():
    return {path.parent for path in (cache_folder() / "networks").glob("*/model.xml")}


def test_a_second_process_needs_no_keras(lite, images):
    code = (
        "import sys, numpy as np; from leukobench.networks import get_network;"
        "from leukobench.networks.weights import locate; from leukobench.features.engines import open_engine;"
        "network = get_network('efficientnet_lite0');"
        "engine = open_engine(network, locate(network), ['multilevel'], engine='openvino', threads=2);"
        "print(float(next(engine.vectors([np.zeros((224, 224, 3), np.uint8)])).sum()));"
        "print(sorted({'keras', 'tensorflow', 'torch', 'jax', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    total, modules = process.stdout.splitlines()
    assert float(total) == float(next(lite.vectors([np.zeros((224, 224, 3), np.uint8)])).sum())
    assert modules == "[]"
    assert process.stderr == ""


@pytest.mark.slow
def test_a_damaged_conversion_is_made_again(tmp_path, monkeypatch, images, lite):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    expected = open_engine(LITE, locate(LITE), ["max"], engine="openvino", threads=2)
    (folder,) = ir_folders()
    damage(folder / "model.bin")
    again = open_engine(LITE, locate(LITE), ["max"], engine="openvino", threads=2)
    for vector, other in zip(again.vectors(images), expected.vectors(images), strict=True):
        np.testing.assert_array_equal(vector, other)


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


class _Exporting:
    def export(self, path, **_):
        Path(path).write_text("graph")
        Path(path).with_suffix(".bin").write_text("weights")


@pytest.fixture
def unread(monkeypatch):
    """Files that are no networks are not read again by OpenVINO."""
    monkeypatch.setattr(openvino_ir, "_read_back", lambda path: None)


@pytest.mark.parametrize("part", ["model.bin", "model.xml", "manifest.json"])
def test_any_damaged_part_is_noticed(unread, tmp_path, monkeypatch, part):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    calls = []

    def make():
        calls.append(1)
        return _Exporting(), ["a"]

    folder = openvino_ir.load_converted({}, make).path.parent
    openvino_ir.load_converted({}, make)
    assert len(calls) == 1
    damage(folder / part)
    assert openvino_ir.load_converted({}, make).path.read_text() == "graph"
    assert len(calls) == 2
    assert [path.name for path in (tmp_path / "networks").iterdir()] == [folder.name]


def test_two_processes_may_convert_at_once(unread, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))

    def slower():
        openvino_ir.load_converted({}, lambda: (_Exporting(), ["first"]))
        return _Exporting(), ["second"]

    assert openvino_ir.load_converted({}, slower).feature_names == ("first",)
    assert len(list((tmp_path / "networks").iterdir())) == 1


def test_a_conversion_is_kept_apart_by_all_that_matters(tmp_path, monkeypatch, lite):
    seen = []
    monkeypatch.setattr(openvino_ir, "digest", lambda value: seen.append(value) or "x" * 8)
    monkeypatch.setattr(openvino_ir, "_convert", lambda *_: None)
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path))
    openvino_ir.load_converted({"weights": "w"}, lambda: (None, []))
    assert set(seen[0]) == {"weights", "keras", "openvino", "format"}
    assert seen[0]["keras"]
    assert seen[0]["openvino"]


class _OutOfMemory:
    def __init__(self, model, fits):
        self.model, self.fits = model, fits

    def predict_on_batch(self, batch):
        if len(batch) > self.fits:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return self.model.predict_on_batch(batch)


@pytest.mark.slow
def test_keras_backs_off_when_memory_runs_out(images, lite):
    engine = open_engine(LITE, locate(LITE), ["multilevel"], engine="keras", threads=2)
    expected = np.stack(list(engine.vectors(images)))
    model = engine._model
    engine._model = _OutOfMemory(model, fits=2)
    vectors = np.stack(list(engine.vectors(images)))
    assert engine._batch == 2
    assert np.abs(vectors - expected).max() <= 1e-5 * np.abs(expected).max()
    engine._model = _OutOfMemory(model, fits=0)
    with pytest.raises(EngineError, match="failed on a batch of 1 images"):
        list(engine.vectors(images))
    engine._model = None
    with pytest.raises(EngineError, match="predict_on_batch"):
        list(engine.vectors(images))


@pytest.mark.parametrize(
    ("name", "present", "gpu", "converts", "chosen"),
    [
        ("auto", {"openvino", "keras"}, False, True, "openvino"),
        ("auto", {"openvino", "keras"}, True, True, "keras"),
        ("auto", {"openvino", "keras"}, False, False, "keras"),
        ("auto", {"keras"}, False, True, "keras"),
        ("auto", {"openvino"}, False, False, "openvino"),
        ("keras", {"openvino", "keras"}, False, True, "keras"),
        ("openvino", {"openvino", "keras"}, True, True, "openvino"),
    ],
)
def test_the_choice_of_an_engine(monkeypatch, name, present, gpu, converts, chosen):
    pretend(monkeypatch, present, gpu, converts)
    assert choose_engine(name) == chosen


def pretend(monkeypatch, present, gpu=False, converts=True):
    monkeypatch.setattr(frameworks, "is_installed", present.__contains__)
    monkeypatch.setattr(frameworks, "keras_installed", lambda: "keras" in present)
    monkeypatch.setattr(frameworks, "gpu_usable", lambda: gpu)
    monkeypatch.setattr(frameworks, "can_convert", lambda: converts)


@pytest.mark.parametrize(("name", "present"), [("auto", set()), ("openvino", {"keras"}), ("keras", {"openvino"})])
def test_an_engine_that_is_not_installed(monkeypatch, name, present):
    pretend(monkeypatch, present)
    with pytest.raises(EngineError, match=r"pip install leukobench\[cpu\], or leukobench\[gpu\]"):
        choose_engine(name)


def test_unknown_choices():
    with pytest.raises(ConfigurationError, match="no such engine"):
        choose_engine("onnx")
    with pytest.raises(ConfigurationError, match="no precision 'int8'"):
        open_engine(LITE, locate(LITE), precision="int8")
    with pytest.raises(ConfigurationError, match="no pooling called"):
        open_engine(LITE, locate(LITE), ["median"])
    assert engines.ENGINES == ("auto", "openvino", "keras")
