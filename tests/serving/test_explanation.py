"""Explanations: maps find what decided, exactly where there is an exact map; neighbours and shortcuts are right."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.bundling.fit import fit
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError, UnreadableImageError
from leukobench.images.drawing import Morphology, draw_smear, draw_stain
from leukobench.pipeline import run
from leukobench.serving.bundle import Bundle, load
from leukobench.serving.image_input import Upload

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
        evaluation={"folds": 3, "controls": "off"},
    )
    folder = run(experiment).folder
    named = {
        "averages": ("efficientnet_lite0", "none", "logistic_regression"),
        "stages": ("efficientnet_lite0(pooling=multilevel)", "none", "svm_linear"),
    }
    for name, combination in named.items():
        fit(folder, combination, root / name, pictures=True)
    return {name: load(root / name) for name in named}


def hottest_region(heat: np.ndarray, middle: tuple[int, int]) -> tuple[bool, float]:
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
    ("name", "method", "hits"),
    [
        ("averages", "auto", 9),
        pytest.param("averages", "occlusion", 6, marks=pytest.mark.thorough),
        pytest.param("stages", "auto", 9, marks=pytest.mark.thorough),
    ],
)
def test_the_map_finds_a_planted_lesion(bundles: dict[str, Bundle], name: str, method: str, hits: int) -> None:
    rng = np.random.default_rng(99)
    pairs = []
    for _ in range(10):
        pixels, middle = planted(rng, lesion=True)
        explained = bundles[name].explain(upload(pixels), method=method)
        assert explained.prediction.label == "Lesion"
        assert explained.against == "Clean"
        pairs.append(hottest_region(explained.heat, middle))
    assert sum(hit for hit, _ in pairs) >= hits
    assert np.median([ratio for _, ratio in pairs]) > 4


@pytest.mark.slow
def test_the_class_activation_map_adds_up_to_the_log_odds(bundles: dict[str, Bundle]) -> None:
    rng = np.random.default_rng(7)
    for lesion in (True, False):
        explained = bundles["averages"].explain(upload(planted(rng, lesion)[0]))
        shown = explained.prediction.probabilities
        expected = np.log(shown[str(explained.prediction.label)] / shown[explained.against])
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
    with pytest.raises(ConfigurationError, match="no such explanation method"):
        bundles["stages"].explain(image, method="gradient")
    with pytest.raises(UnreadableImageError):
        bundles["stages"].explain(Upload("broken.png", image.data[:500]))


@pytest.mark.slow
def test_neighbours_shortcuts_and_overlay(bundles: dict[str, Bundle], root: Path) -> None:
    bundle = bundles["averages"]
    path = root / "images" / "Lesion" / "7.png"
    explained = bundle.explain(path)
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
    assert {one.name for one in explained.shortcuts} - {"background"} == {
        *("file facts", "border", "sharpness and noise", "all shortcuts together")
    }
    for one in explained.shortcuts:
        assert one.agrees == (one.label == explained.prediction.label)
        assert 0.5 <= one.probability <= 1
    written = json.loads(json.dumps(explained.to_json(), allow_nan=False))
    assert (written["label"], written["method"], len(written["neighbours"])) == ("Lesion", "class activation map", 5)
    picture = Image.open(io.BytesIO(explained.overlay()))
    assert (picture.format, picture.size) == ("PNG", (448, 448))
    assert Image.open(io.BytesIO(explained.overlay_with_legend())).height > 448
    others = sum(one.label != "Lesion" for one in explained.neighbours)
    assert explained.others_near == others
    assert explained.other_neighbours().startswith(f"{others or 'none'} of the 5" if others < 5 else "all of the 5")


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
