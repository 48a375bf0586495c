"""Transfer learning: frozen is the same as cached features, unfreezing begins where it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.classifiers.cnns.augmentation import Augmentation
from leukobench.classifiers.cnns.batches import batches
from leukobench.classifiers.cnns.dense_head import DenseHead
from leukobench.classifiers.cnns.inputs import as_images, inner_split
from leukobench.classifiers.cnns.training import Settings
from leukobench.classifiers.cnns.transfer import Transfer, mobilenetv2_head
from leukobench.errors import ConfigurationError, UnknownNameError, WeightsError
from leukobench.features.deep_features import DeepFeatures
from leukobench.images.synthetic import draw_smears

UNTOUCHED = {"flips": False, "rotations": False, "shift": 0, "brightness": 0, "stain": 0}
HEAD: dict[str, Any] = {"hidden": 16, "epochs": 4, "batch_size": 8, "random_state": 0}
TUNED: dict[str, Any] = {**HEAD, "unfreeze_from": "block15", "fine_epochs": 2}


@pytest.fixture(scope="module")
def smear(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], np.ndarray]:
    folder = tmp_path_factory.mktemp("few")
    draw_smears(folder, images=24, patients=8, seed=2, size=64)
    paths = sorted(folder.rglob("*.jpg"))
    return paths, np.array([path.parent.name for path in paths])


@pytest.fixture(scope="module")
def frozen(smear: tuple[list[Path], np.ndarray]) -> Transfer:
    return Transfer(**HEAD).fit(*smear)


@pytest.mark.slow
def test_a_frozen_network_and_a_head_on_cached_features_agree(
    smear: tuple[list[Path], np.ndarray], frozen: Transfer
) -> None:
    paths, labels = smear
    features = DeepFeatures("efficientnet_lite0").fit_transform(paths)  # by OpenVINO
    head = DenseHead(**HEAD).fit(features, labels)
    np.testing.assert_allclose(head.predict_proba(features), frozen.predict_proba(paths), atol=1e-5)
    for own, other in zip(head.curve_, frozen.curve_, strict=True):
        assert own["loss"] == pytest.approx(other["loss"], abs=1e-5)
        assert own["validation_loss"] == pytest.approx(other["validation_loss"], abs=1e-5)


@pytest.mark.thorough
def test_running_the_frozen_network_in_each_epoch_gives_the_same(
    smear: tuple[list[Path], np.ndarray], frozen: Transfer
) -> None:
    slow = Transfer(**HEAD, augment=UNTOUCHED, augment_frozen=True).fit(*smear)
    np.testing.assert_allclose(slow.predict_proba(smear[0]), frozen.predict_proba(smear[0]), atol=1e-5)
    turned = Transfer(**HEAD, augment_frozen=True).fit(*smear)
    assert np.abs(turned.predict_proba(smear[0]) - frozen.predict_proba(smear[0])).max() > 1e-3


@pytest.mark.slow
def test_plain_keras_comes_to_the_same_head(smear: tuple[list[Path], np.ndarray], frozen: Transfer) -> None:
    """The same batches through a frozen network in a Keras model of one's own, trained by Keras' own step."""
    import keras

    from leukobench.networks import get_network
    from leukobench.networks.build import build
    from leukobench.networks.weights import locate

    paths, labels = smear
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    train, held = inner_split(codes, None, 0.15, 0)
    images = as_images(paths, (224, 224), "bicubic").astype(np.float32)
    spec = get_network("efficientnet_lite0")
    base = build(spec, locate(spec))
    base.trainable = False
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    x = keras.layers.Dense(16, "relu", kernel_initializer=keras.initializers.HeUniform(seed=0))(x)
    x = keras.layers.Dropout(0.3, seed=0)(x)
    x = keras.layers.Dense(4, "softmax", kernel_initializer=keras.initializers.GlorotUniform(seed=1))(x)
    model = keras.Model(base.input, x)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    settings = Settings("frozen", 0, 4, 8, 1e-3, 10, 0)
    best, kept = np.inf, None
    for epoch in range(4):
        order = np.random.default_rng(np.random.SeedSequence([0, epoch])).permutation(len(train))
        steps, size = batches(len(train), 8)
        for step in range(steps):
            rows = train[order[step * size : step * size + size]]
            model.optimizer.learning_rate = settings.rate(epoch + step / steps)
            model.train_on_batch(images[rows], codes[rows])
        sure = model.predict_on_batch(images[held])[np.arange(len(held)), codes[held]]
        if (loss := -np.log(np.clip(sure, 1e-7, 1)).mean()) < best:
            best, kept = loss, model.get_weights()
    model.set_weights(kept)
    np.testing.assert_allclose(model.predict_on_batch(images), frozen.predict_proba(paths), atol=1e-4)


@pytest.mark.thorough
def test_only_layers_from_the_named_one_on_are_trained(smear: tuple[list[Path], np.ndarray]) -> None:
    said: dict[str, Any] = {**HEAD, "epochs": 1, "validation": 0.0}
    frozen = Transfer(**said).fit(*smear)
    fine = Transfer(**said, unfreeze_from="block15", fine_epochs=1, fine_learning_rate=1e-3).fit(*smear)
    before, after = ({v.path: np.asarray(v.numpy()) for v in one.model_.variables} for one in (frozen, fine))
    before, after = ({k: v for k, v in one.items() if not k.startswith("seed_generator")} for one in (before, after))
    changed = {path.partition("/")[0] for path in before if not np.array_equal(before[path], after[path])}
    convolutions = {"block15_expand_conv", "block15_depthwise_conv", "block15_project_conv", "head_conv"}
    assert changed == convolutions | {"head_dense", "head_probabilities"}
    assert [epoch["phase"] for epoch in fine.curve_] == ["frozen", "fine-tuned"]


@pytest.mark.thorough
def test_fine_tuning_that_makes_it_worse_is_undone(smear: tuple[list[Path], np.ndarray], frozen: Transfer) -> None:
    worse = Transfer(**HEAD, unfreeze_from="head_conv", fine_epochs=1, fine_learning_rate=3.0).fit(*smear)
    assert worse.curve_[-1]["validation_loss"] > min(epoch["validation_loss"] for epoch in frozen.curve_)
    np.testing.assert_allclose(worse.predict_proba(smear[0]), frozen.predict_proba(smear[0]), atol=1e-5)


@pytest.mark.slow
def test_dropout_inside_a_network_follows_the_seed(smear: tuple[list[Path], np.ndarray]) -> None:
    first, second = (
        Transfer(network="mobilenet", weights="random", **HEAD | {"epochs": 1}).fit(*smear) for _ in range(2)
    )
    seeds = [
        [
            np.asarray(layer.seed_generator.state.numpy())
            for layer in one.model_.layers
            if hasattr(layer, "seed_generator")
        ]
        for one in (first, second)
    ]
    np.testing.assert_array_equal(seeds[0], seeds[1])


class _Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def whole(smear: tuple[list[Path], np.ndarray]) -> np.ndarray:
    """Probabilities after a training that nothing interrupted."""
    return np.asarray(Transfer(**TUNED).fit(*smear).predict_proba(smear[0]))


@pytest.mark.slow
@pytest.mark.parametrize("phase", [pytest.param("frozen", marks=pytest.mark.thorough), "fine-tuned"])
def test_killed_in_either_phase_it_goes_on(
    phase: str,
    smear: tuple[list[Path], np.ndarray],
    whole: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("leukobench.classifiers.cnns.training._REPORT_S", 0.0)
    path = tmp_path / "checkpoint.npz"

    def kill(told: Any) -> None:
        if told["phase"] == phase and told["epoch"] == 2:
            raise _Killed

    with pytest.raises(_Killed):
        Transfer(**TUNED).fit(*smear, checkpoint=path, report=kill)
    phases: list[str] = []
    resumed = Transfer(**TUNED).fit(*smear, checkpoint=path, report=lambda told: phases.append(told["phase"]))
    assert ("features of the frozen network" in phases) == (phase == "frozen")
    np.testing.assert_allclose(resumed.predict_proba(smear[0]), whole, atol=1e-6)
    assert [epoch["epoch"] for epoch in resumed.curve_] == [1, 2, 3, 4, 1, 2]


@pytest.mark.slow
def test_a_layer_that_is_not_there_is_said_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)no layer 'block14_expnad'.*did you mean.*block14_expand"):
        Transfer(unfreeze_from="block14_expnad").check()
    Transfer(unfreeze_from="block14").check()
    Transfer(unfreeze_from="all").check()


def test_a_network_or_weights_that_are_not_there_are_said() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        Transfer(network="mobilnetv2").depends_on()


@pytest.mark.thorough
def test_small_weights_that_were_saved_are_taken_and_those_of_another_network_refused(
    smear: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    from leukobench.networks import get_network
    from leukobench.networks.build import build
    from leukobench.networks.weights import locate

    spec = get_network("mobilenetv2")
    file = tmp_path / "own.weights.h5"
    build(spec, locate(spec, "random:3")).save_weights(file)
    few: dict[str, Any] = {**HEAD, "epochs": 1}
    saved, drawn = (mobilenetv2_head(**few, weights=weights) for weights in (str(file), "random:3"))
    saved.check()
    assert (saved.weights_label, drawn.weights_label) == ("file own.weights.h5", "RANDOM (seed 3)")
    np.testing.assert_allclose(
        saved.fit(*smear).predict_proba(smear[0][:4]), drawn.fit(*smear).predict_proba(smear[0][:4]), atol=1e-6
    )
    with pytest.raises(WeightsError, match="not those of VGG16"):
        Transfer(network="vgg16", weights=str(file)).check()


def test_augmentation_defaults_apply_to_the_unfrozen_phase() -> None:
    assert Augmentation.of(Transfer().augment) == Augmentation()
    assert Transfer().augment_frozen is False
