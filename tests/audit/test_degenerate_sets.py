"""Sets that no one collects on purpose: one image, one grey, all the same, tiny, endless, unreadable."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from leukobench.audit.copies import COLUMNS
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ImagesError
from leukobench.images.synthetic import draw_image
from leukobench.pipeline import audit_images, run

from .planting import FILE, PIXELS, compared, found, listed, prints_of, together, written


def smear(number: int, size: int = 96) -> np.ndarray:
    return draw_image(number, patients=24, seed=6, size=size)[0]


def grey(value: int, size: int = 40) -> np.ndarray:
    return np.full((size, size, 3), value, np.uint8)


def test_one_image_has_no_copy(tmp_path: Path) -> None:
    copies = compared(listed(tmp_path, {"only.png": written(smear(0))}))
    assert copies.empty
    assert list(copies) == [*COLUMNS, "labels_differ"]


def test_two_images_are_copies_or_not(tmp_path: Path) -> None:
    assert compared(listed(tmp_path, {"a": written(smear(0)), "b": written(smear(1))})).empty
    assert len(compared(listed(tmp_path, {"a": written(smear(0)), "b": written(smear(0), "BMP")}))) == 1


def test_pictures_of_one_grey_are_copies_where_their_pixels_are_equal(tmp_path: Path) -> None:
    files = {"a": written(grey(9)), "b": written(grey(9)), "c": written(grey(9), "BMP"), "d": written(grey(200))}
    files |= {"e": written(smear(0)), "f": written(smear(0), "BMP")}
    images = listed(tmp_path, files)
    copies = compared(images)
    assert together(copies, images) == {frozenset("abc"), frozenset("ef")}
    assert sorted(copies["kind"]) == [FILE, PIXELS, PIXELS]


@pytest.mark.parametrize("count", [1, 5])
def test_a_set_of_nothing_but_one_grey_has_no_copies(tmp_path: Path, count: int) -> None:
    images = listed(tmp_path, {f"{number}": written(grey(40 * number)) for number in range(count)})
    assert compared(images).empty


def test_one_picture_forty_times_over_is_one_cluster(tmp_path: Path) -> None:
    images = listed(tmp_path, {f"{number}": written(smear(2)) for number in range(40)})
    copies = compared(images)
    assert (len(copies), set(copies["kind"])) == (39, {FILE})
    assert len(together(copies, images)) == 1


@pytest.mark.slow
def test_one_picture_in_forty_different_files_is_one_cluster(tmp_path: Path) -> None:
    files = {}
    for number in range(40):
        text = PngInfo()
        text.add_text("number", str(number))
        files[f"{number}"] = written(np.rot90(smear(3), number % 4), pnginfo=text)
    images = listed(tmp_path, files)
    copies = compared(images)
    assert images["image_id"].nunique() == 40
    assert (len(copies), set(copies["kind"])) == (39, {PIXELS})
    assert len(together(copies, images)) == 1


@pytest.mark.parametrize("size", [2, 3, 5])
def test_tiny_pictures_are_found_again_when_turned(tmp_path: Path, size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
    copies = compared(listed(tmp_path, {"a": written(pixels), "b": written(np.rot90(pixels)), "c": written(grey(7))}))
    assert copies["kind"].tolist() == [PIXELS]


@pytest.mark.parametrize("shape", [(40, 3000), (3000, 40), (1, 190), (390, 2)])
def test_endless_pictures_are_compared_by_their_middle(tmp_path: Path, shape: tuple[int, int]) -> None:
    one, other = np.random.default_rng(1).integers(0, 255, (2, *shape, 3), np.uint8)
    files = {"a": written(one), "b": written(np.rot90(one)), "c": written(other), "d": written(other)}
    images = listed(tmp_path, files)
    assert together(compared(images), images) == {frozenset("ab"), frozenset("cd")}


def test_a_file_that_vanishes_while_the_audit_works_is_passed_over(tmp_path: Path) -> None:
    numbers = {"a1": 4, "a2": 4, "b1": 5, "b2": 5}
    files = {name: written(smear(number), compress_level=int(name[1])) for name, number in numbers.items()}
    images = listed(tmp_path, files)
    prints = prints_of(images)
    (tmp_path / "a2").unlink()
    assert together(found(images, prints), images) == {frozenset({"b1", "b2"})}


def class_folders(folder: Path, per_class: int = 6) -> Path:
    for label in ("one", "two"):
        (folder / label).mkdir(parents=True)
        for number in range(per_class):
            Image.fromarray(smear(number if label == "one" else number + 12)).save(folder / label / f"{number}.png")
    return folder


def test_unreadable_files_go_to_the_ledger_and_move_no_row(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "images")
    whole = (images / "one" / "0.png").read_bytes()
    for number in range(6):
        (images / "two" / f"cut-{number}.png").write_bytes(whole[: len(whole) // 2 + number])
    (images / "two" / "copy.png").write_bytes(written(np.rot90(smear(14))))
    folder, summary = audit_images(for_folder(images, results=tmp_path / "results"), workers=2)
    kept = pd.read_parquet(folder / "images.parquet").set_index("path")
    assert len(kept) == 13
    assert (kept["copies"] != "").sum() == 2
    assert kept["copies"][str(images / "two" / "copy.png")] == kept["copies"][str(images / "two" / "2.png")] != ""
    assert sorted(Path(path).name for path in pd.read_parquet(folder / "ledger.parquet")["path"]) == [
        f"cut-{number}.png" for number in range(6)
    ]
    assert summary["identical_pixels"] == summary["clusters"] == 1


@pytest.mark.slow
def test_a_class_that_is_one_picture_over_and_over_is_refused(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "images")
    for number in range(6):
        image = Image.fromarray(smear(20)).resize((60 + 6 * number,) * 2)
        image.save(images / "two" / f"{number}.png")
    with pytest.raises(ImagesError, match="too small for 5 folds: two") as caught:
        run(for_folder(images, results=tmp_path / "results"), workers=1)
    _, summary = audit_images(for_folder(images, results=tmp_path / "results"), workers=1)
    assert summary["clusters"] == 1
    assert "two 6 images in 1 groups" in str(caught.value)


@pytest.mark.slow
def test_the_same_folder_twice_is_two_labels_for_every_picture(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "images")
    shutil.rmtree(images / "two")
    shutil.copytree(images / "one", images / "two")
    _, summary = audit_images(for_folder(images, results=tmp_path / "results"), workers=1)
    assert (summary["identical_files"], summary["clusters"], summary["label_conflicts"]) == (6, 6, 6)
    assert summary["warnings"][0].startswith("6 images have more than one label")


# What all pictures share is not what makes copies.


def faint_under_uneven_light(number: int) -> np.ndarray:
    y, x = np.indices((96, 96)) / 95 - 0.5
    light = 1 + 0.5 * x - 1.2 * (x**2 + y**2)
    faint = 200 + 0.25 * (smear(number).astype(float) - 200)
    return np.clip(0.7 * faint * light[..., None], 0, 255).astype(np.uint8)


def test_pictures_that_look_alike_at_a_glance_are_told_apart_by_their_cells(tmp_path: Path) -> None:
    pictures = [faint_under_uneven_light(number) for number in range(16)]
    files = {f"{number}": written(pixels) for number, pixels in enumerate(pictures)}
    files |= {f"copy of {n}": written(np.rot90(pictures[n]), "JPEG", quality=60) for n in range(0, 16, 2)}
    images = listed(tmp_path, files)
    copies = compared(images)
    assert together(copies, images) == {frozenset({f"{n}", f"copy of {n}"}) for n in range(0, 16, 2)}
    assert (copies["similarity"] > 0.8).all()


def in_a_round_field(number: int) -> np.ndarray:
    pixels = smear(number, 160).copy()
    y, x = np.indices((160, 160)) - 79.5
    pixels[np.hypot(x, y) > 70] = 0
    return pixels


def cut_out_cell(number: int) -> np.ndarray:
    """One cell on black, about round, with a texture of its own, as segmented sets have them."""
    rng = np.random.default_rng(number)
    y, x = np.indices((160, 160)) - 79.5
    outline = 42 * rng.uniform(0.85, 1.15) * (1 + 0.1 * np.cos(2 * np.arctan2(y, x) + rng.uniform(0, 6)))
    coarse = Image.fromarray(rng.normal(0, 15, (16, 16)).astype(np.float32))
    texture = np.asarray(coarse.resize((160, 160), Image.Resampling.BICUBIC))
    inside = np.hypot(x, y) < outline
    return np.repeat(np.where(inside, np.clip(120 + texture, 1, 255), 0)[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("draw", [in_a_round_field, cut_out_cell])
def test_a_common_outline_makes_no_copies(tmp_path: Path, draw: Callable[[int], np.ndarray]) -> None:
    images = listed(tmp_path, {f"{number}.png": written(draw(number)) for number in range(16)})
    assert together(compared(images), images) == set()
