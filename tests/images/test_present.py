"""Tables of paths in object stores."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("s3fs")

from leukobench.errors import ImagesError
from leukobench.images.index import index_images

from ..s3 import store, upload
from .trees import write_image

pytestmark = pytest.mark.s3


@pytest.fixture
def pictures(bucket: str, tmp_path: Path) -> Path:
    """Four images, in the bucket and in a folder."""
    for number, name in enumerate(["x/1.png", "x/2.png", "y/3.png", "y/4.png"]):
        write_image(tmp_path / "pictures" / name, number)
    upload(tmp_path / "pictures", f"{bucket}/pictures")
    return tmp_path / "pictures"


def table(start: str) -> str:
    rows = [
        f"{start}{name},{label},P{name[2]}"
        for name, label in (("x/1.png", "a"), ("x/2.png", "b"), ("y/3.png", "a"), ("y/4.png", "b"))
    ]
    return "\n".join(["path,label,patient", *rows])


def test_a_table_in_a_store_names_images_beside_it_or_in_full(bucket: str, pictures: Path) -> None:
    (pictures / "local.csv").write_text(table(""))
    local = index_images(pictures / "local.csv")
    for name, start in (
        ("pictures/beside.csv", ""),
        ("tables/up.csv", "../pictures/"),
        ("in-full.csv", f"s3://{bucket}/pictures/"),
    ):
        store().pipe_file(f"{bucket}/{name}", table(start).encode())
        index = index_images(f"s3://{bucket}/{name}")
        assert index.digest() == local.digest()
        assert index.images["path"].str.startswith(f"s3://{bucket}/pictures/").all()


def test_a_table_of_this_machine_names_images_of_a_store(bucket: str, pictures: Path) -> None:
    (pictures / "remote.csv").write_text(table(f"s3://{bucket}/pictures/"))
    (pictures / "local.csv").write_text(table(""))
    assert index_images(pictures / "remote.csv").digest() == index_images(pictures / "local.csv").digest()


def test_a_folder_in_a_store_holds_its_table(bucket: str, pictures: Path) -> None:
    store().pipe_file(f"{bucket}/pictures/manifest.csv", table("").rsplit("\n", 1)[0].encode())
    index = index_images(f"s3://{bucket}/pictures")
    assert (index.layout, len(index)) == ("manifest", 3)
    assert index.ledger["reason"].tolist() == ["not a supported image file (.csv)", "not in manifest.csv"]


def test_a_missing_object_is_a_mistake_of_its_row(bucket: str, pictures: Path) -> None:
    store().pipe_file(f"{bucket}/pictures/m.csv", table("").replace("4.png", "5.png").encode())
    with pytest.raises(ImagesError, match=r"line 5: there is no file y/5\.png"):
        index_images(f"s3://{bucket}/pictures/m.csv")
