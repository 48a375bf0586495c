from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from leukobench import storage
from leukobench.bundling.writing import write_bundle
from leukobench.errors import BundleError, StorageError
from leukobench.serving.container import read_bundle

FILES = {"network.bin": bytes(range(256)) * 8, "model_card.md": "# Karte \N{GREEK SMALL LETTER ALPHA}".encode()}
MANIFEST = {"name": "trial", "classes": ["a", "b"]}


def test_a_folder_and_a_zip_have_one_digest(tmp_path: Path) -> None:
    assert write_bundle(tmp_path / "a", MANIFEST, FILES) == write_bundle(tmp_path / "a.zip", MANIFEST, FILES)


def test_sha256sum_can_check_a_folder(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", MANIFEST, FILES)
    command = [shutil.which("sha256sum") or pytest.skip("no sha256sum"), "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path / "b", capture_output=True, check=False).returncode == 0
    (tmp_path / "b" / "network.bin").write_bytes(b"other")
    assert subprocess.run(command, cwd=tmp_path / "b", capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("kind", ["folder", "text", "zip", "folder with such names", "bundle and a thesis"])
def test_what_is_no_bundle_is_not_overwritten(kind: str, tmp_path: Path) -> None:
    target = tmp_path / ("folder" if "folder" in kind or "bundle" in kind else "file.zip")
    kept = target / "thesis.txt" if target.name == "folder" else target
    if kind == "bundle and a thesis":
        write_bundle(target, MANIFEST, FILES)
    elif target.name == "folder":
        target.mkdir()
    if kind == "folder with such names":
        (target / "manifest.json").write_text("{}")
        (target / "SHA256SUMS").write_text("")
    if kind == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("photo.txt", "years of work")
    else:
        kept.write_text("years of work")
    with pytest.raises(BundleError, match="already exists"):
        write_bundle(target, MANIFEST, FILES)
    assert b"years of work" in kept.read_bytes()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    write_bundle(tmp_path / "real", MANIFEST, FILES)
    digest = write_bundle(tmp_path / "link", MANIFEST, FILES | {"network.bin": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert read_bundle(tmp_path / "real").digest == digest


def test_an_interrupt_between_old_and_new_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = write_bundle(tmp_path / "b", MANIFEST, FILES)
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if (
            Path(target).name == "b"
            and ".part-" in self.name
            and not (self / "network.bin").read_bytes().startswith(b"\0")
        ):
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_bundle(tmp_path / "b", MANIFEST, FILES | {"network.bin": b"new"})
    assert read_bundle(tmp_path / "b").digest == digest
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["folder", "bundle.zip"])
def test_a_write_that_fails_leaves_the_earlier_bundle(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = write_bundle(tmp_path / name, MANIFEST, FILES)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(storage.Path, "replace", full)
        with pytest.raises(StorageError, match="disk is full"):
            write_bundle(tmp_path / name, MANIFEST, FILES | {"network.bin": b"new"})
    assert read_bundle(tmp_path / name).digest == digest
    assert [path.name for path in tmp_path.iterdir()] == [name]
