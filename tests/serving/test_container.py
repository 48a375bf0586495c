from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukobench.bundling import writing
from leukobench.bundling.writing import write_bundle
from leukobench.errors import BundleError
from leukobench.serving import container
from leukobench.serving.container import FORMAT, read_bundle

FILES = {"network.bin": bytes(range(256)) * 8, "model_card.md": "# Karte \N{GREEK SMALL LETTER ALPHA}".encode()}
MANIFEST = {"name": "trial", "classes": ["a", "b"]}


@pytest.fixture(params=["folder", "bundle.zip"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    target = tmp_path / request.param
    return target, write_bundle(target, MANIFEST, FILES)


def test_what_was_written_is_read(written: tuple[Path, str]) -> None:
    path, digest = written
    contents = read_bundle(path, digest)
    assert contents.digest == digest
    assert contents.manifest["name"] == "trial"
    assert {name: contents.file(name) for name in FILES} == FILES
    with pytest.raises(BundleError, match=r"lacks the file absent\.bin"):
        contents.file("absent.bin")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), name=st.sampled_from([*FILES, "manifest.json"]))
def test_one_changed_bit_is_noticed(tmp_path: Path, place: float, bit: int, name: str) -> None:
    target = tmp_path / "b"
    shutil.rmtree(target, ignore_errors=True)
    write_bundle(target, MANIFEST, FILES)
    data = bytearray((target / name).read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    (target / name).write_bytes(data)
    with pytest.raises(BundleError):
        read_bundle(target)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(part=st.floats(0, 1, exclude_max=True))
def test_a_truncated_zip_is_refused(tmp_path: Path, part: float) -> None:
    target = tmp_path / "b.zip"
    write_bundle(target, MANIFEST, FILES)
    data = target.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: int(part * len(data))])
    with pytest.raises(BundleError, match=r"damaged|lacks"):
        read_bundle(cut)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_zip_with_a_changed_bit_is_refused_or_says_the_same(tmp_path: Path, place: float, bit: int) -> None:
    """Some bits of a zip, such as those of dates, mean nothing."""
    target = tmp_path / "b.zip"
    digest = write_bundle(target, MANIFEST, FILES)
    data = bytearray(target.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    (tmp_path / "bad.zip").write_bytes(data)
    try:
        contents = read_bundle(tmp_path / "bad.zip")
    except BundleError:
        return
    assert contents.digest == digest
    assert {name: contents.file(name) for name in FILES} == FILES


@pytest.mark.parametrize("name", [*FILES, "manifest.json", "SHA256SUMS"])
def test_a_missing_file_is_named(written: tuple[Path, str], name: str, tmp_path: Path) -> None:
    path, _ = written
    if path.is_dir():
        (path / name).unlink()
    else:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "new.zip", "w") as new:
            for member in old.namelist():
                if member != name:
                    new.writestr(member, old.read(member))
        path = tmp_path / "new.zip"
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    assert name in str(caught.value)


def test_a_change_with_new_digests_is_refused_by_the_digest_that_fit_printed(written: tuple[Path, str]) -> None:
    path, digest = written
    write_bundle(path, MANIFEST, FILES | {"network.bin": b"changed"})
    assert read_bundle(path).file("network.bin") == b"changed"
    with pytest.raises(BundleError, match="another SHA-256"):
        read_bundle(path, digest)


@pytest.mark.parametrize("number", [FORMAT + 1, 99, "1", None, -1, 0, True])
@pytest.mark.parametrize("name", ["folder", "bundle.zip"])
def test_a_newer_format_says_so(name: str, number: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    with monkeypatch.context() as patched:
        patched.setattr(writing, "FORMAT", number)
        write_bundle(path, MANIFEST, FILES)
    with pytest.raises(BundleError, match="newer leukobench"):
        read_bundle(path)


@pytest.mark.parametrize(
    "kind", ["absent", "empty folder", "other folder", "text", "picture", "other zip", "broken json"]
)
def test_what_is_no_bundle_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.zip"
    if kind == "empty folder":
        path.mkdir()
    elif kind == "other folder":
        path.mkdir()
        (path / "manifest.json").write_text(json.dumps({"name": "web app"}))
        (path / "SHA256SUMS").write_text("")
    elif kind == "text":
        path.write_text("hello")
    elif kind == "picture":
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    elif kind == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("word/document.xml", "<w/>")
    elif kind == "broken json":
        path.mkdir()
        (path / "manifest.json").write_text('{"kind": "leukobench bundle"')
        (path / "SHA256SUMS").write_text("")
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    assert str(path) in str(caught.value)


def test_names_that_lead_elsewhere_are_never_followed(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", MANIFEST, FILES)
    (tmp_path / "secret").write_bytes(b"secret")
    sums = (tmp_path / "b" / "SHA256SUMS").read_text()
    (tmp_path / "b" / "SHA256SUMS").write_text(sums + f"{'0' * 64}  ../secret\n")
    with pytest.raises(BundleError, match="no list of digests"):
        read_bundle(tmp_path / "b")


def test_a_zip_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_MOST_BYTES", 10_000)
    write_bundle(tmp_path / "bomb.zip", MANIFEST, {"zeros.bin": bytes(1_000_000)})
    assert (tmp_path / "bomb.zip").stat().st_size < 5_000
    with pytest.raises(BundleError, match="too large"):
        read_bundle(tmp_path / "bomb.zip")


def test_a_zip_packed_otherwise_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """LZMA may unpack far more than the zip says, and tells so only afterwards."""
    write_bundle(tmp_path / "b.zip", MANIFEST, FILES)
    with zipfile.ZipFile(tmp_path / "b.zip") as old, zipfile.ZipFile(tmp_path / "lzma.zip", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_LZMA if name == "network.bin" else zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match="damaged"):
        read_bundle(tmp_path / "lzma.zip")


@pytest.mark.parametrize("kind", ["nested", "folder for a file", "dots", "nul", "long"])
def test_odd_things_are_refused_without_a_traceback(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "b"
    write_bundle(path, MANIFEST, FILES)
    if kind == "nested":
        (path / "manifest.json").write_text('{"kind": ' + "[" * 100_000)
    elif kind == "folder for a file":
        (path / "network.bin").unlink()
        (path / "network.bin").mkdir()
    elif kind == "dots":
        (path / "SHA256SUMS").write_text(f"{'0' * 64}  ..\n" + (path / "SHA256SUMS").read_text())
    else:
        path = Path("a\0b") if kind == "nul" else tmp_path / ("x" * 5000)
    with pytest.raises(BundleError):
        read_bundle(path)


@pytest.mark.parametrize("name", ["network.bin", "SHA256SUMS", "manifest.json"])
@pytest.mark.parametrize("kind", ["device", "pipe", "link to a pipe", "another folder"])
def test_what_never_ends_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "b"
    write_bundle(path, MANIFEST, FILES)
    (path / name).unlink()
    if kind == "device":
        (path / name).symlink_to("/dev/zero")
    elif kind == "another folder":
        (path / name).symlink_to(tmp_path)
    else:
        pipe = path / name if kind == "pipe" else tmp_path / "pipe"
        os.mkfifo(pipe)
        if pipe != path / name:
            (path / name).symlink_to(pipe)
    with pytest.raises(BundleError):
        read_bundle(path)


def test_a_list_of_digests_without_its_end_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", MANIFEST, FILES)
    sums = tmp_path / "b" / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes().rstrip())
    with pytest.raises(BundleError, match="no list of digests"):
        read_bundle(tmp_path / "b")


def test_files_that_are_not_listed_are_not_read(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", MANIFEST, FILES)
    (tmp_path / "b" / "notes.txt").write_text("mine")
    assert "notes.txt" not in read_bundle(tmp_path / "b").files
