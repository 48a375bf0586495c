"""Objects are read whole or by ranges, and failures say what to do."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("s3fs")

from leukobench.errors import StorageError
from leukobench.remote import objects
from leukobench.remote.path import any_path, object_of

from ..s3 import forget, store


@pytest.mark.s3
class TestOnS3:
    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
    def test_every_size_is_read_whole(self, bucket: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(objects, "_FIRST", 64)
        data = bytes(range(256))[:size]
        store().pipe_file(f"{bucket}/x", data)
        path = object_of(f"s3://{bucket}/x")
        assert path.read_bytes() == data
        assert path.read_bytes(100) == data[:101]

    def test_a_file_is_read_by_ranges(self, bucket: str) -> None:
        store().pipe_file(f"{bucket}/x.txt", "Größe\r\n2\n".encode())
        path = any_path(f"s3://{bucket}/x.txt")
        with path.open(encoding="utf-8", newline="") as stream:
            assert stream.read() == "Größe\r\n2\n"
        with path.open("rb") as stream:
            stream.seek(-2, io.SEEK_END)
            assert (stream.read(), stream.read()) == (b"2\n", b"")

    def test_files_folders_and_nothing_are_told_apart(self, bucket: str) -> None:
        store().pipe_file(f"{bucket}/folder/x", b"1")
        folder = any_path(f"s3://{bucket}/folder")
        assert (folder.is_dir(), folder.is_file(), folder.exists()) == (True, False, True)
        assert ((folder / "x").is_dir(), (folder / "x").is_file()) == (False, True)
        assert not (folder / "y").exists()
        with pytest.raises(FileNotFoundError):
            (folder / "y").read_bytes()

    def test_no_credentials_are_an_error_with_a_fix(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        forget()
        with pytest.raises(StorageError, match="no credentials for s3://") as refusal:
            object_of(f"s3://{bucket}/x").read_bytes()
        assert "AWS_PROFILE" in refusal.value.fix
        forget()


def test_a_store_that_does_not_answer_is_an_error_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "sEcReT"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    forget()
    with pytest.raises(StorageError, match="s3://bucket/x does not answer") as failure:
        object_of("s3://bucket/x").read_bytes()
    assert "AWS_ENDPOINT_URL" in failure.value.fix
    assert "sEcReT" not in str(failure.value)
    forget()


def test_a_refusal_stops_instead_of_leaving_out_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials may expire in the middle of a run."""

    class Denies:
        def cat_file(self, *_: object, **__: object) -> bytes:
            raise PermissionError("ExpiredToken")

    monkeypatch.setattr(objects, "_file_system", lambda *_: Denies())
    with pytest.raises(StorageError, match="Access to s3://bucket/x is denied"):
        object_of("s3://bucket/x").read_bytes()


def test_an_unknown_protocol_is_an_error() -> None:
    with pytest.raises(StorageError, match="unheardof://"):
        object_of("unheardof://bucket/x").read_bytes()


def test_without_s3fs_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "s3fs.py").write_text("raise ImportError('No module named s3fs')")
    code = "from leukobench.remote.path import object_of; object_of('s3://bucket/x').read_bytes()"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert "pip install leukobench[s3]" in done.stderr
