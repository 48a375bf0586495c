from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ExtractionError
from leukobench.features.cache import FeatureCache
from leukobench.features.custom_extractor import CustomExtractor
from leukobench.features.extraction import extract_to
from leukobench.features.extractor import Extractor
from leukobench.features.extractors import make_extractor


@pytest.fixture
def images(tmp_path: Path) -> list[tuple[str, str]]:
    rng = np.random.default_rng(0)
    made = []
    for n in range(12):
        path = tmp_path / f"{n}.png"
        Image.fromarray(rng.integers(0, 255, (20 + n, 30, 3), np.uint8)).save(path)
        made.append((hashlib.sha256(path.read_bytes()).hexdigest(), str(path)))
    return made


@pytest.fixture
def colours(plugin: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Extractor:
    monkeypatch.setenv("COUNT_FILE", str(tmp_path / "seen"))
    return make_extractor(f"{plugin}:Colours", {})


def seen(tmp_path: Path) -> int:
    return len((tmp_path / "seen").read_text())


def expected(images: list[tuple[str, str]]) -> np.ndarray:
    pixels = [np.asarray(Image.open(path), float) for _, path in images]
    return np.array([np.concatenate([p.mean(axis=(0, 1)), p.std(axis=(0, 1))]) for p in pixels])


def test_each_content_is_computed_once_and_only_what_is_new(
    images: list[tuple[str, str]], colours: Extractor, tmp_path: Path
) -> None:
    cache, target = FeatureCache(tmp_path / "cache", colours.identity), tmp_path / "x.npy"
    copies = [*images[:5], (images[0][0], images[0][1])]
    assert extract_to(target, colours, copies, cache, 2) == {}
    np.testing.assert_allclose(np.load(target), expected(copies), rtol=1e-4)
    assert seen(tmp_path) == 5
    extract_to(target, colours, images, cache, 2)
    assert seen(tmp_path) == 12
    np.testing.assert_allclose(np.load(target), expected(images), rtol=1e-4)


def test_renaming_files_costs_nothing(images: list[tuple[str, str]], colours: Extractor, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    extract_to(tmp_path / "x.npy", colours, images, cache, 2)
    renamed = [
        (image_id, str(Path(path).rename(tmp_path / f"new-{n}.png"))) for n, (image_id, path) in enumerate(images)
    ]
    extract_to(tmp_path / "y.npy", colours, renamed[::-1], cache, 2)
    assert seen(tmp_path) == 12
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy")[::-1])


def test_bad_files_are_refused_and_the_rest_goes_on(
    images: list[tuple[str, str]], colours: Extractor, tmp_path: Path
) -> None:
    truncated = tmp_path / "truncated.png"
    truncated.write_bytes(Path(images[0][1]).read_bytes()[:-40])
    changed, absent = tmp_path / "changed.png", tmp_path / "absent.png"
    changed.write_bytes(Path(images[1][1]).read_bytes())
    bad = [
        (hashlib.sha256(truncated.read_bytes()).hexdigest(), str(truncated)),
        ("0" * 64, str(changed)),
        ("1" * 64, str(absent)),
    ]
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    refused = extract_to(tmp_path / "x.npy", colours, [bad[0], *images[2:], *bad[1:]], cache, 2)
    assert set(refused) == {image_id for image_id, _ in bad}
    assert "changed" in refused["0" * 64]
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected(images[2:]), rtol=1e-4)


def test_all_bad_gives_no_vectors(colours: Extractor, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    bad = [(hashlib.sha256(b"no image").hexdigest(), str(tmp_path / "bad.png"))]
    assert len(extract_to(tmp_path / "x.npy", colours, bad, FeatureCache(tmp_path / "c", colours.identity), 1)) == 1


def test_a_damaged_part_is_computed_again(images: list[tuple[str, str]], colours: Extractor, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    extract_to(tmp_path / "x.npy", colours, images, cache, 1)
    part = next(cache.folder.glob("part-*.parquet"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0xFF
    part.write_bytes(bytes(data))
    extract_to(tmp_path / "y.npy", colours, images, cache, 1)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy"))


def test_an_extractor_that_gives_nan_stops_with_a_message(
    images: list[tuple[str, str]], plugin: str, tmp_path: Path
) -> None:
    extractor = make_extractor(f"{plugin}:NotANumber", {})
    with pytest.raises(ExtractionError, match="NaN"):
        extract_to(tmp_path / "x.npy", extractor, images, FeatureCache(tmp_path / "c", extractor.identity), 1)


def test_a_custom_extractor_is_known_by_its_code_and_parameters(plugin: str) -> None:
    one, two = make_extractor(f"{plugin}:Colours", {}), make_extractor(f"{plugin}:Colours", {"scale": 2.0})
    assert isinstance(one, CustomExtractor)
    assert one.identity != two.identity
    assert one.identity == make_extractor(f"{plugin}:Colours", {}).identity


def test_what_was_extracted_before_an_interruption_is_kept(
    images: list[tuple[str, str]], colours: Extractor, tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    finished: list[int] = []

    def interrupt(done: int) -> None:
        finished.append(done)
        if len(finished) == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_to(tmp_path / "x.npy", colours, images, cache, 1, interrupt)
    assert len(cache.image_ids()) == 8


def test_what_was_extracted_is_kept_every_few_seconds(
    images: list[tuple[str, str]], colours: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count()  # the clock goes on by a second an image
    monkeypatch.setattr("leukobench.features.extraction.time.monotonic", lambda: float(next(seconds)))
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    extract_to(tmp_path / "x.npy", colours, images, cache, threads=1)
    assert len(list(cache.folder.glob("part-*.parquet"))) >= 2


def test_equal_looking_parameters_are_not_one_extractor(plugin: str) -> None:
    one, two = make_extractor(f"{plugin}:Colours", {"scale": 1}), make_extractor(f"{plugin}:Colours", {"scale": "1"})
    assert one.identity != two.identity
