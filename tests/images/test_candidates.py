"""Of an object store the same files count as images, and the same ones are refused, as in a local folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fsspec")

from leukobench.errors import ImagesError
from leukobench.images.files import find_files
from leukobench.images.index import index_images
from leukobench.images.layouts import LAYOUTS
from leukobench.remote.objects import file_system

from ..s3 import store, upload
from .trees import TREES, write_image, write_tree

ODD = (
    "a/50% of it.png",
    "a/%20.png",
    "a/#1.PNG",
    "a/q?x=1.png",
    "b/é ü.png",
    "b/+&=;.jpg",
    "b/a'\"b.png",
    "b/日本 [1].png",
)


def into_memory(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            file_system("memory").pipe_file(f"bucket/folder/{path.relative_to(folder).as_posix()}", path.read_bytes())


def assert_same(local: Path, remote: str, **options: object) -> None:
    """Both indexes are equal but for the folder that the paths begin with."""
    one, other = index_images(local, **options), index_images(remote, **options)  # type: ignore[arg-type]
    paths = [table["path"].str.removeprefix(str(local)) for table in (one.images, one.ledger)]
    others = [table["path"].str.removeprefix(remote) for table in (other.images, other.ledger)]
    pd.testing.assert_frame_equal(one.images.assign(path=paths[0]), other.images.assign(path=others[0]))
    pd.testing.assert_frame_equal(one.ledger.assign(path=paths[1]), other.ledger.assign(path=others[1]))
    assert (one.digest(), one.layout, one.patients, one.warnings) == (
        other.digest(),
        other.layout,
        other.patients,
        other.warnings,
    )


@pytest.mark.parametrize("layout", LAYOUTS.names())
def test_every_layout_is_read_from_a_store(layout: str, tmp_path: Path, memory: str) -> None:
    folder = write_tree(tmp_path / "data", layout)
    write_image(folder / "stray" / "stray.png", 99)
    into_memory(folder)
    assert_same(folder, memory, layout=layout)
    assert len(index_images(memory, layout)) >= len(TREES[layout])


def test_what_is_refused_is_refused_for_the_same_reason(tmp_path: Path, memory: str) -> None:
    folder = tmp_path / "data"
    for number, name in enumerate(
        ["a/1.png", "a/2.png", "b/1.png", "b/.hidden/2.png", "a/__MACOSX/3.png", "b/x-v.png"]
    ):
        write_image(folder / name, number)
    (folder / "a" / "slide.svs").write_bytes(b"x")
    (folder / "a" / "empty.png").touch()
    (folder / "b" / "notes.txt").write_text("hello")
    (folder / "b" / "run").mkdir()
    for name in (".lock", "run.log"):
        (folder / "b" / "run" / name).touch()
    write_image(folder / "b" / "run" / "sheets" / "1.png", 9)
    into_memory(folder)
    assert_same(folder, memory, layout="class", exclude_files=["*-v.png"])
    reasons = set(index_images(memory, "class", exclude_files=["*-v.png"]).ledger["reason"])
    assert {"written by leukobench", "hidden file or folder", "empty file", "left over from a macOS archive"} <= reasons


def test_a_path_that_lost_its_slash_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImagesError) as refusal:
        find_files(Path("s3://bucket/folder"))
    assert "as text" in refusal.value.fix


@pytest.mark.s3
def test_odd_names_are_those_of_a_local_folder(bucket: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number, name in enumerate(ODD):
        write_image(folder / name, number)
    upload(folder, bucket)
    assert_same(folder, f"s3://{bucket}")
    assert len(index_images(f"s3://{bucket}")) == len(ODD)


@pytest.mark.s3
def test_names_that_no_folder_can_have_are_refused(bucket: str, tmp_path: Path) -> None:
    for number, name in enumerate(["a/1.png", "b/1.png"]):
        write_image(tmp_path / name, number)
    upload(tmp_path, bucket)
    for key in ("a//2.png", "b/../3.png"):
        store().call_s3("put_object", Bucket=bucket, Key=key, Body=b"x")
    ledger = index_images(f"s3://{bucket}").ledger
    assert ledger["path"].tolist() == [f"s3://{bucket}/a//2.png", f"s3://{bucket}/b/../3.png"]
    assert set(ledger["reason"]) == {"its name has a part that no folder can have"}


@pytest.mark.s3
def test_an_unchanged_object_is_not_read_again(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    for number, name in enumerate(["a/1.png", "a/2.png", "b/3.png", "b/4.png"]):
        write_image(folder / name, number)
    upload(folder, bucket)
    first, read = index_images(f"s3://{bucket}"), []
    monkeypatch.setattr(
        "leukobench.images.reading._read_object",
        lambda path: read.append(path) or store().cat_file(path),  # type: ignore[func-returns-value]
    )
    write_image(folder / "a/2.png", 17)
    upload(folder, bucket)
    second = index_images(f"s3://{bucket}")
    assert read == [f"s3://{bucket}/a/2.png"]
    assert second.digest() == index_images(folder).digest() != first.digest()


@pytest.mark.s3
def test_what_is_not_there_is_said(bucket: str) -> None:
    with pytest.raises(ImagesError, match="holds no file"):
        find_files(f"s3://{bucket}/nothing")
    with pytest.raises(ImagesError, match="is in no bucket of this name"):
        find_files("s3://no-such-bucket/folder")
