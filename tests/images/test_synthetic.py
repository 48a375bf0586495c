"""Synthetic smears: drawn the same by any number of processes, marked as synthetic, found again with their patients."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ConfigurationError, StorageError
from leukobench.images.index import index_images
from leukobench.images.reading import read_image
from leukobench.images.synthetic import _UNFINISHED as UNFINISHED
from leukobench.images.synthetic import MARKER, STAGES, draw_image, draw_smears


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_smears(tmp_path_factory.mktemp("drawn") / "smears", images=48, patients=8, seed=3, size=96)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jpg")}


def test_the_index_finds_stages_and_patients(folder):
    index = index_images(folder)
    assert (index.layout, index.patients) == ("synthetic", "patient from the file name (synthetic smears)")
    assert index.counts().to_dict("index") == {
        stage: {"images": 12, "distinct": 12, "groups": 2} for stage in sorted(STAGES)
    }
    assert index.images.groupby("patient")["label"].nunique().eq(1).all()
    assert index.ledger["path"].tolist() == [str(folder / MARKER)]


def test_everything_says_that_it_is_synthetic(folder):
    assert "SYNTHETIC" in (folder / MARKER).read_text()
    for path in folder.rglob("*.jpg"):
        assert path.name.startswith("synthetic-")
        with Image.open(path) as image:
            assert image.info["comment"].startswith(b"Synthetic smear")


@pytest.mark.slow
def test_processes_and_number_of_images_change_no_image(folder, tmp_path):
    more = content(draw_smears(tmp_path / "more", images=60, patients=8, seed=3, size=96, workers=2))
    first = content(folder)
    assert len(more) == 60
    assert first.items() <= more.items()


def test_the_seed_changes_every_image(folder, tmp_path):
    other = content(draw_smears(tmp_path / "other", images=8, patients=8, seed=4, size=96))
    assert not set(other.values()) & set(content(folder).values())


@pytest.mark.parametrize("size", [64, 224, 331])
def test_any_size_is_drawn(size):
    pixels, label, patient = draw_image(5, patients=12, size=size)
    assert (pixels.shape, pixels.dtype) == ((size, size, 3), np.uint8)
    assert (label, patient) == ("Early", "P06")
    assert pixels.std() > 10


def test_images_are_read_back_closely(folder):
    pixels, label, patient = draw_image(9, patients=8, seed=3, size=96)
    stored = read_image(folder / label / f"synthetic-{patient}_0009.jpg")
    assert np.abs(stored.astype(int) - pixels).mean() < 6


@pytest.mark.slow
def test_stages_differ_in_their_nuclei_and_not_in_their_colour():
    images = [draw_image(number, patients=48) for number in range(192)]
    labels = np.array([label for _, label, _ in images])
    nuclei = np.array([(pixels[..., 1] < 110).mean() for pixels, _, _ in images])
    blue = np.array([np.median(pixels[..., 2]) for pixels, _, _ in images])
    by_stage = {stage: nuclei[labels == stage].mean() for stage in STAGES}
    assert by_stage["Benign"] < by_stage["Early"] < by_stage["Pre"]
    spread = np.ptp([np.median(blue[labels == stage]) for stage in STAGES])
    assert spread < 2 * blue.std()


def test_progress_reaches_the_end(tmp_path):
    seen = []
    draw_smears(tmp_path, 60, 4, size=64, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(50, 60), (60, 60)]


def test_a_folder_that_holds_anything_is_left_alone(folder):
    before = content(folder)
    with pytest.raises(StorageError, match="is not empty"):
        draw_smears(folder, 8, 8)
    assert content(folder) == before


def test_an_equal_call_keeps_what_is_drawn_and_finishes_what_was_begun(tmp_path):
    def draw():
        return content(draw_smears(tmp_path, 8, 4, size=64))

    drawn = draw()
    first = next(tmp_path.rglob("*_0000.jpg"))
    first.write_bytes(b"")
    assert draw() != drawn
    marker = tmp_path / MARKER
    marker.write_text(marker.read_text() + UNFINISHED)
    assert draw() == drawn
    assert UNFINISHED not in marker.read_text()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="could not be written"):
        draw_smears(tmp_path / "file" / "below")


@pytest.mark.parametrize(("images", "patients", "size"), [(10, 3, 96), (4, 5, 96), (8, 8, 32)])
def test_impossible_numbers_are_refused(tmp_path, images, patients, size):
    with pytest.raises(ConfigurationError, match="cannot be drawn"):
        draw_smears(tmp_path / "new", images, patients, size=size)
    assert not (tmp_path / "new").exists()
