"""Files that are called like images and are none are named for what they are."""

from __future__ import annotations

import gzip
import io

import pytest
from click.testing import CliRunner
from PIL import Image

from leukobench.cli import cli
from leukobench.images.file_kinds import kind_of_file

from .trees import write_image

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n"


def saved(kind):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("words", "data"),
    [
        ("Git LFS pointer", POINTER % 7),
        ("git-annex", b"/annex/objects/SHA256E-s1--0.jpg\n"),
        ("HTML page", b"\n<!DOCTYPE HTML PUBLIC><title>404</title>"),
        ("HTML page", b"<!-- moved --><html lang='en'>"),
        ("XML", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
        ("JSON", b'{"message": "Not Found"}'),
        ("ZIP archive", b"PK\x03\x04\x14"),
        ("tar archive", b"a.txt" + bytes(252) + b"ustar  "),
        ("gzip archive", gzip.compress(b"x", mtime=0)),
        ("PDF", b"%PDF-1.7"),
        ("GIF", saved("GIF")),
        ("JPEG 2000", b"\x00\x00\x00\x0cjP  \r\n\x87\n"),
        ("HEIC", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"),
        ("video", b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00"),
        ("DICOM", bytes(128) + b"DICM"),
        ("zero bytes", bytes(3000)),
        ("plain text", b"Access denied.\n"),
    ],
)
def test_what_is_no_image_is_named(words, data):
    assert words in kind_of_file(data)


def test_other_bytes_have_no_name():
    assert kind_of_file(bytes(range(200, 256)) * 3) == ""


@pytest.mark.parametrize("data", [POINTER, b"<html>%064d</html>", b"PK\x03\x04%064d"])
def test_an_audit_of_such_files_ends_with_status_2_and_says_what_they_are(tmp_path, data, monkeypatch):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    for number in range(6):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data % number)
    words = [str(tmp_path / "images"), "--results", str(tmp_path / "results"), "--workers", "1"]
    result = CliRunner().invoke(cli, ["audit", *words])
    assert result.exit_code == 2
    assert "No image can be used" in result.output
    assert f"3 x not a JPEG, PNG, BMP, TIFF or WebP image but {kind_of_file(data % 0)}" in result.output


def test_one_class_of_such_files_is_refused_and_the_option_leaves_it_out(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    for number in range(6):
        path = write_image(tmp_path / "images" / "abc"[number % 3] / f"{number}.jpg", number)
        if number % 3 == 2:
            path.write_bytes(POINTER % number)
    words = ["audit", str(tmp_path / "images"), "--results", str(tmp_path / "results"), "--workers", "1"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "The class c would be left out: no file can be used." in result.output
    assert "--exclude-class c" in result.output
    assert CliRunner().invoke(cli, [*words, "--exclude-class", "c"]).exit_code == 0


def test_a_class_that_is_mostly_such_files_is_said_in_the_first_lines(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    for number in range(8):
        path = write_image(tmp_path / "images" / "ab"[number % 2] / f"{number}.jpg", number)
        if number in (1, 3, 5):
            path.write_bytes(POINTER % number)
    words = ["audit", str(tmp_path / "images"), "--results", str(tmp_path / "results"), "--workers", "1"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert any(line.startswith("Most images of b cannot be used, 3 of 4: 3 x not a JPEG") for line in caplog.messages)
