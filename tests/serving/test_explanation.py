"""Explanations: maps find what decided, exactly where that can be said, and neighbours and shortcuts are right."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from leukobench.bundling.fit import fit
from leukobench.classifiers.forest import RandomForest
from leukobench.classifiers.linear import LinearProbe, lda
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError, UnreadableImageError
from leukobench.images.drawing import Morphology, draw_smear, draw_stain
from leukobench.pipeline import run
from leukobench.selection.anova import ANOVA
from leukobench.selection.none import NoSelection
from leukobench.selection.pca import PCA
from leukobench.serving.bundle import Bundle, load
from leukobench.serving.decision_margin import Margin
from leukobench.serving.occlusion import occlusion
from leukobench.serving.overlay import overlay
from leukobench.serving.prediction import Upload

RADIUS = 16


def background(rng: np.random.Generator) -> np.ndarray:
    """Red and white cells of one slide."""
    return draw_smear(Morphology(9, 0.9, 0, 0.1, 0.02, 3), draw_stain(np.random.default_rng(0)), rng).copy()


def planted(rng: np.random.Generator, lesion: bool) -> tuple[np.ndarray, tuple[int, int]]:
    """A smear, with an amber disc or without, and where its middle is."""
    pixels, (y, x) = background(rng).astype(float), rng.integers(24, 200, 2).tolist()
    rows, columns = np.mgrid[:224, :224]
    share = lesion * np.clip(RADIUS - np.hypot(rows - y, columns - x), 0, 1)[..., None]
    return (pixels * (1 - share) + np.array([225, 150, 40]) * share).astype(np.uint8), (y, x)


def upload(pixels: np.ndarray, name: str = "new.png") -> Upload:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return Upload(name, stream.getvalue())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``images``: 120 smears, half of them with a lesion."""
    root = tmp_path_factory.mktemp("planted")
    rng = np.random.default_rng(5)
    for number in range(120):
        label = ("Clean", "Lesion")[number % 2]
        path = root / "images" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(planted(rng, label == "Lesion")[0]).save(path)
    return root


@pytest.fixture(scope="module")
def bundles(root: Path) -> dict[str, Bundle]:
    """Two bundles of a run on them: a linear classifier on averages, and a support vector machine on stages."""
    extractors = ["efficientnet_lite0", {"efficientnet_lite0": {"pooling": "multilevel"}}]
    experiment = for_folder(
        root / "images",
        name="planted",
        results=root / "results",
        extractors=extractors,
        selectors=["none"],
        classifiers=["logistic_regression", "svm_linear"],
        evaluation={"folds": 3},
    )
    folder = run(experiment).folder
    named = {
        "averages": ("efficientnet_lite0", "none", "logistic_regression"),
        "stages": ("efficientnet_lite0(pooling=multilevel)", "none", "svm_linear"),
    }
    for name, combination in named.items():
        fit(folder, combination, root / name, pictures=True)
    return {name: load(root / name) for name in named}


def found(heat: np.ndarray, middle: tuple[int, int]) -> tuple[bool, float]:
    """Whether the hottest region (as large as a lesion) has its middle on the lesion,
    give or take half a step of a coarse map; heat there against afar."""
    large = np.asarray(Image.fromarray(heat).resize((224, 224), Image.Resampling.BICUBIC))
    hottest = np.argwhere(large >= np.percentile(large, 98)).mean(axis=0)
    rows, columns = np.mgrid[:224, :224]
    away = np.maximum(np.abs(rows - middle[0]), np.abs(columns - middle[1]))
    hit = np.hypot(*(hottest - middle)) <= RADIUS * 2**0.5 + 112 / heat.shape[0]
    return bool(hit), float(large[away <= RADIUS].mean() / np.abs(large[away > 3 * RADIUS]).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "method", "hits"), [("averages", "auto", 9), ("averages", "occlusion", 6), ("stages", "auto", 9)]
)
def test_the_map_finds_a_planted_lesion(bundles: dict[str, Bundle], name: str, method: str, hits: int) -> None:
    rng = np.random.default_rng(99)
    pairs = []
    for _ in range(10):
        pixels, middle = planted(rng, lesion=True)
        explained = bundles[name].explain(upload(pixels), method=method)
        assert explained.prediction.label == "Lesion"
        assert explained.against == "Clean"
        pairs.append(found(explained.heat, middle))
    assert sum(hit for hit, _ in pairs) >= hits
    assert np.median([ratio for _, ratio in pairs]) > 4


@pytest.mark.slow
def test_the_class_activation_map_adds_up_to_the_log_odds(bundles: dict[str, Bundle]) -> None:
    rng = np.random.default_rng(7)
    for lesion in (True, False):
        explained = bundles["averages"].explain(upload(planted(rng, lesion)[0]))
        said = explained.prediction.probabilities
        expected = np.log(said[str(explained.prediction.label)] / said[explained.against])
        assert explained.method == "class activation map"
        assert explained.unit == "log-odds"
        assert explained.heat.mean() == pytest.approx(expected, rel=1e-3)
        assert explained.margin == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_a_class_activation_map_is_refused_where_it_would_not_be_exact(bundles: dict[str, Bundle]) -> None:
    image = upload(planted(np.random.default_rng(1), True)[0])
    assert bundles["stages"].explain(image).method == "occlusion"
    with pytest.raises(ConfigurationError, match="no class activation map"):
        bundles["stages"].explain(image, method="cam")
    with pytest.raises(ConfigurationError, match="no such method"):
        bundles["stages"].explain(image, method="gradient")
    with pytest.raises(UnreadableImageError):
        bundles["stages"].explain(Upload("broken.png", image.data[:500]))


@pytest.mark.slow
def test_neighbours_shortcuts_and_overlay(bundles: dict[str, Bundle], root: Path) -> None:
    bundle = bundles["averages"]
    known = root / "images" / "Lesion" / "7.png"
    explained = bundle.explain(known)
    assert explained.prediction.trained_on
    own = explained.prediction.image_id
    assert len(explained.neighbours) == 5
    assert own not in {one.image_id for one in explained.neighbours}
    assert [one.distance for one in explained.neighbours] == sorted(one.distance for one in explained.neighbours)
    by_id = {bundle.read(path)[0]: path for path in root.glob("images/*/*.png")}
    for one in explained.neighbours:
        path = by_id[one.image_id]
        assert one.label == path.parent.name
        assert one.picture is not None
        kept = np.asarray(Image.open(io.BytesIO(one.picture)), dtype=float)
        small = np.asarray(Image.open(path).resize(kept.shape[1::-1], Image.Resampling.BICUBIC), dtype=float)
        assert np.abs(kept - small).mean() < 8
    assert {one.name for one in explained.shortcuts} == {"file facts", "colour", "border"}
    for one in explained.shortcuts:
        assert one.agrees == (one.label == explained.prediction.label)
        assert 0.5 <= one.probability <= 1
    said = json.loads(json.dumps(explained.to_json(), allow_nan=False))
    assert (said["label"], said["method"], len(said["neighbours"])) == ("Lesion", "class activation map", 5)
    picture = Image.open(io.BytesIO(explained.overlay()))
    assert (picture.format, picture.size) == ("PNG", (448, 448))


@pytest.mark.slow
def test_threads_get_the_same_explanations(bundles: dict[str, Bundle]) -> None:
    rng = np.random.default_rng(3)
    images = [upload(planted(rng, lesion)[0]) for lesion in (True, False, True)]
    for bundle in bundles.values():
        alone = [bundle.explain(image).heat for image in images]
        with ThreadPoolExecutor(3) as pool:
            together = [one.heat for one in pool.map(bundle.explain, images)]
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, other)


def test_occlusion_peaks_where_a_made_up_classifier_looks() -> None:
    pixels = background(np.random.default_rng(2))
    for row, column in ((40, 60), (120, 180), (200, 20)):
        block = (slice(row - 8, row + 8), slice(column - 8, column + 8))
        pixels[block] = (250, 250, 10)

        def margins(pictures: Iterator[np.ndarray], block: Any = block) -> np.ndarray:
            return np.array([-float(picture[block][..., 2].mean()) for picture in pictures])

        heat = occlusion(pixels, margins)
        assert heat.shape == (224, 224)
        peak = np.unravel_index(heat.argmax(), heat.shape)
        assert max(abs(peak[0] - row), abs(peak[1] - column)) <= 8  # on the block
        rows, columns = np.mgrid[:224, :224]
        far = np.maximum(np.abs(rows - row), np.abs(columns - column)) > 64
        assert np.abs(heat[far]).max() == 0
        assert heat.max() > 0


@pytest.mark.parametrize("size", [(32, 32), (75, 75), (299, 299), (100, 160)])
def test_occlusion_takes_any_size_and_covers_all_of_it(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    changed = np.zeros(size, dtype=bool)

    def margins(pictures: Iterator[np.ndarray]) -> np.ndarray:
        seen = list(pictures)
        np.testing.assert_array_equal(seen[0], pixels)
        for picture in seen[1:]:
            changed[(picture != pixels).any(axis=-1)] = True
        return np.zeros(len(seen))

    np.testing.assert_array_equal(occlusion(pixels, margins), np.zeros(size))
    assert changed.mean() > 0.97


def made(labels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(labels)
    y = np.repeat(np.arange(labels), 30)
    return rng.normal(size=(len(y), 12)) + 2 * np.eye(12)[y], y


CLASSIFIERS = {
    "logistic_regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "linear_probe": LinearProbe(),
    "lda": lda(),
    "svm_linear": CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC(kernel="linear")), ensemble=False),
    "svm_linear_primal": CalibratedClassifierCV(LinearSVC(), ensemble=False),
}


@pytest.mark.parametrize("selector", [NoSelection(), ANOVA(n_features=6), PCA(n_components=5, scale=True)])
@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("labels", [2, 4])
def test_linear_margins_are_weighted_sums(selector: Any, name: str, labels: int) -> None:
    X, y = made(labels)
    selector.fit(X, y)
    classifier = CLASSIFIERS[name].fit(selector.transform(X), y)
    margin = Margin(selector, classifier, temperature=1.7)
    against = {other: margin.linear(12, 0, other) for other in range(1, labels)}
    sums = np.min([X @ weights + offset for weights, offset in against.values()], axis=0)
    np.testing.assert_allclose(margin.of(X, 0), sums, rtol=1e-9, atol=1e-9)
    assert margin.of(X[y == 0], 0).mean() > 0 > margin.of(X[y == 1], 0).mean()


@pytest.mark.parametrize("name", ["logistic_regression", "linear_probe", "lda"])
@pytest.mark.parametrize("labels", [2, 4])
def test_margins_of_probabilistic_classifiers_are_the_shown_log_odds(name: str, labels: int) -> None:
    X, y = made(labels)
    selector = NoSelection().fit(X)
    classifier = CLASSIFIERS[name].fit(X, y)
    shown = np.log(classifier.predict_proba(X)) / 1.7
    expected = shown[:, 1] - np.delete(shown, 1, axis=1).max(axis=1)
    margin = Margin(selector, classifier, temperature=1.7)
    assert margin.unit == "log-odds"
    np.testing.assert_allclose(margin.of(X, 1), expected, atol=1e-6)
    order = np.where(np.arange(labels) == 1, -np.inf, shown)
    assert [margin.closest(row, 1) for row in X] == order.argmax(axis=1).tolist()


def test_the_class_that_comes_closest_is_told_where_probabilities_are_too_small_to_tell() -> None:
    """Far from three classes: their probabilities are 1e-30 and less, all the same once they are floored."""
    X, y = made(4)
    classifier = CLASSIFIERS["lda"].fit(X, y)
    margin = Margin(NoSelection().fit(X), classifier, temperature=1.5)
    for other in (1, 2, 3):
        far = 60 * np.eye(12)[0] + 4 * np.eye(12)[other]
        assert np.sort(classifier.predict_proba(far[None])[0])[-2] < 1e-12
        assert margin.closest(far, 0) == classifier.decision_function(far[None])[0, 1:].argmax() + 1


def test_margins_of_other_classifiers_follow_their_votes() -> None:
    X, y = made(3)
    selector = NoSelection().fit(X)
    rbf = CalibratedClassifierCV(SVC(C=10), ensemble=False).fit(X, y)
    margin = Margin(selector, rbf)
    assert margin.unit == "decision value"
    assert margin.linear(12, 0, 1) is None
    pairs = SVC(C=10, decision_function_shape="ovo").fit(X, y).decision_function(X)  # 0-1, 0-2, 1-2
    np.testing.assert_allclose(margin.of(X, 1), np.minimum(-pairs[:, 0], pairs[:, 2]), atol=1e-9)
    forest = RandomForest(50, random_state=0, engine="scikit-learn").fit(X, y)
    found = Margin(selector, forest).of(X, 2)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found > 0, forest.predict(X) == 2)


def test_the_overlay_is_clear_where_nothing_is_hot_and_differs_for_and_against() -> None:
    pixels = np.full((64, 64, 3), 200, dtype=np.uint8)
    heat = np.zeros((64, 64), dtype=np.float32)
    heat[10:20, 10:20], heat[40:50, 40:50] = 1, -1
    seen = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat))))
    scale = seen.shape[0] // 64
    warm, cold, clear = (seen[scale * at, scale * at].astype(int) for at in (15, 45, 30))
    assert warm[0] > warm[2] + 50
    assert cold[2] > cold[0] + 50
    np.testing.assert_allclose(clear, 200, atol=1)
    slight = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat, slight=100))))
    assert np.abs(slight.astype(int) - 200).max() <= 1
