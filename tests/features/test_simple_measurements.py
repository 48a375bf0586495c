from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.features import extraction
from leukobench.features.cache import FeatureCache
from leukobench.features.extraction import extract_to
from leukobench.features.simple_measurements import SimpleMeasurements, columns, fingerprints_of
from leukobench.images.fingerprint import fingerprint
from leukobench.images.keypoints import KeypointFile, find_keypoints, grey_version


def look(folder: Path, *pixels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    images = []
    for number, picture in enumerate(pixels):
        path = folder / f"{number}.png"
        Image.fromarray(picture).save(path)
        images.append((hashlib.sha256(path.read_bytes()).hexdigest(), str(path)))
    measurements = SimpleMeasurements()
    cache = FeatureCache(folder / "cache", measurements.identity)
    assert extract_to(folder / "x.npy", measurements, images, cache, 2) == {}
    return np.load(folder / "x.npy"), cache.feature_names()


def test_colours_are_means_and_deviations_of_the_channels(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)
    vectors, names = look(tmp_path, picture)
    flat = picture.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(vectors[0, columns(names, "colour")], [*flat.mean(axis=0), *flat.std(axis=0)], rtol=1e-4)


def test_file_facts_and_fingerprint_are_those_of_their_own_modules(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    vectors, names = look(tmp_path, picture)
    expected = fingerprint(picture, find_keypoints(grey_version(picture)))
    np.testing.assert_array_equal(vectors[0, columns(names, "fingerprint")], expected)
    np.testing.assert_array_equal(fingerprints_of(vectors, names)[0], expected)
    named = dict(zip(names, vectors[0], strict=True))
    assert (named["file.width"], named["file.bytes"]) == (64, (tmp_path / "0.png").stat().st_size)
    assert named["file.maker"] == 0
    assert named["file.format"] > 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (2, 3), (5, 4)])
def test_the_smallest_images_can_be_measured(tmp_path: Path, shape: tuple[int, int]) -> None:
    vectors, names = look(tmp_path, np.full((*shape, 3), 77, np.uint8))
    assert np.isfinite(vectors).all()
    assert set(vectors[0, columns(names, "border")]) == {0.5, 0}


def test_a_large_picture_of_one_colour_has_no_deviation(tmp_path: Path) -> None:
    vectors, names = look(tmp_path, np.full((1500, 1500, 3), 201, np.uint8))
    np.testing.assert_array_equal(vectors[0, columns(names, "colour")], [201, 201, 201, 0, 0, 0])
    np.testing.assert_allclose(vectors[0, columns(names, "background")], [201, 201, 201, 0, 0, 0], atol=1e-3)


def test_the_range_is_that_of_the_picture_and_not_that_of_its_noise(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = (rng.normal(0, 3, (300, 200, 3)) + 120).astype(np.uint8)
    spot = noise.copy()
    spot[50:70, 50:70] -= 60
    vectors, names = look(tmp_path, noise, spot, np.zeros((1, 1, 3), np.uint8))
    even, uneven, one = vectors[:, columns(names, "evenness")].ravel()
    assert even <= 4
    assert uneven >= 40
    assert one == 0


def test_processes_measure_what_threads_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    for number in range(9):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (60, 50 + number, 3), np.uint8)).save(path)
        if number == 4:
            path.write_bytes(path.read_bytes()[:2000])
        files.append((hashlib.sha256(path.read_bytes()).hexdigest(), str(path)))
    monkeypatch.setattr(extraction, "_TOGETHER", 2)
    measured = []
    for many in (len(files) + 1, len(files)):
        monkeypatch.setattr(extraction, "_MANY", many)
        with KeypointFile(tmp_path / f"keypoints {many}") as keypoints:
            measurements = SimpleMeasurements(keypoints)
            cache, target = FeatureCache(tmp_path / f"cache {many}", measurements.identity), tmp_path / f"{many}.npy"
            refused = extract_to(target, measurements, files, cache, 2)
            # a file that is gone: its keypoints were kept
            kept = [keypoints.of(name, "gone").descriptors.sum() for name, _ in files if name not in refused]
            measured.append((np.load(target).tobytes(), refused, kept))
    assert measured[0] == measured[1]
    assert list(measured[0][1]) == [files[4][0]]
