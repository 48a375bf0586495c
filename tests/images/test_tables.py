"""A table beside the images is pointed to, and what the message says about it works."""

from __future__ import annotations

import pandas as pd
import pytest

from leukobench.errors import ImagesError
from leukobench.images.index import index_images

from .trees import write_image

TABLE = pd.DataFrame({"image_id": [f"ISIC_{n}" for n in range(6)], "dx": ["nv", "mel"] * 3, "age": range(6)})


def write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".xlsx":
        path.write_bytes(b"PK\x03\x04")
    else:
        table.to_csv(path, index=False, sep={".csv": ",", ".tsv": "\t", ".txt": ";"}[path.suffix])


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        write_image(tmp_path / f"ISIC_{number}.jpg", number)
    return tmp_path


@pytest.mark.parametrize("name", ["labels.csv", "labels.tsv", "labels.txt", "labels.parquet"])
def test_a_table_that_lists_flat_images_is_pointed_to(folder, name):
    write(TABLE, folder / name)
    with pytest.raises(ImagesError, match="No folder layout fits") as caught:
        index_images(folder)
    fix = caught.value.fix
    assert fix.startswith(f"{name} (columns image_id, dx, age) lists the images in its column image_id.")
    saved = "" if name == "labels.csv" else ", saved as labels.csv"
    assert fix.endswith(f" and label{saved}, and name it in place of the folder: {folder / 'labels.csv'}")
    table = TABLE.rename(columns={"image_id": "path", "dx": "label"}).assign(path=TABLE["image_id"] + ".jpg")
    table.to_csv(folder / "labels.csv", index=False)
    assert index_images(folder / "labels.csv").classes() == ["mel", "nv"]


def test_a_list_without_a_header_is_pointed_to(folder):
    (folder / "labels.TXT").write_text("".join(f"ISIC_{n}.jpg {n % 2}\n" for n in range(6)))
    with pytest.raises(ImagesError, match=r"labels.TXT .* lists the images in its column .*saved as labels.csv"):
        index_images(folder)


def test_a_table_that_cannot_be_looked_into_is_named_at_least(folder):
    write(TABLE, folder / "labels.xlsx")
    with pytest.raises(ImagesError, match=r"labels.xlsx lies beside the images.*saved as labels.csv"):
        index_images(folder)


def test_a_table_of_other_things_is_no_answer(folder):
    (folder / "README.txt").write_text("Images of skin.\n")
    with pytest.raises(ImagesError, match="one folder per class, or write a manifest"):
        index_images(folder)


def test_folders_without_meaning_beside_a_table_are_read_with_a_warning(folder):
    for number in range(6):
        (folder / f"ISIC_{number}.jpg").rename(
            write_image(folder / f"part_{number % 2}x" / f"ISIC_{number}.jpg", number)
        )
    write(TABLE, folder / "metadata.csv")
    assert "metadata.csv (columns image_id, dx, age) lists the images" in index_images(folder).warnings[0]
