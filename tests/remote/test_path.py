"""Paths of object stores stand in for those of this machine."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from leukobench.errors import ConfigurationError
from leukobench.remote.path import absolute_path, any_path, is_url, object_of, without_secrets
from leukobench.storage import user_path


def test_a_path_is_shown_as_it_was_written() -> None:
    for text in ("s3://bucket", "s3://bucket/a b/%20/#1?x=1/é.png", "gs://b/c"):
        path = object_of(text)
        assert (str(path), os.fspath(path), f"{path}") == (text, text, text)
        assert str(pickle.loads(pickle.dumps(path))) == str(copy.deepcopy(path)) == text
    assert str(object_of("s3://bucket/folder/")) == "s3://bucket/folder"


def test_a_path_has_the_parts_of_any_other() -> None:
    path = any_path("s3://bucket/folder/images.csv")
    assert (path.name, path.stem, path.suffix, str(path.parent)) == (
        "images.csv",
        "images",
        ".csv",
        "s3://bucket/folder",
    )
    assert str(path.parent / "a" / "b.png") == "s3://bucket/folder/a/b.png"
    assert path.absolute() == path.expanduser() == any_path("s3://bucket") / "folder" / "images.csv"
    assert object_of("S3://bucket/key").protocol == "s3"
    assert object_of("s3://bucket/a/b").key == "bucket/a/b"


def test_what_is_no_url_is_a_path_of_this_machine() -> None:
    for text in ("images", "/a/b", "~", "s3:/bucket", "a:b", "://x"):
        assert not is_url(text)
    assert any_path("images") == Path("images")
    assert type(any_path(Path("a"))) is type(Path("a"))


def test_paths_in_full_have_no_detours() -> None:
    folder = any_path("s3://bucket/tables")
    assert absolute_path(folder, "../images/1.png") == "s3://bucket/images/1.png"
    assert absolute_path(folder, "s3://other/x/./1.png") == "s3://other/x/1.png"
    assert absolute_path(Path("/data"), "../images/1.png") == "/images/1.png"
    assert absolute_path(Path("/data"), "s3://other/1.png") == "s3://other/1.png"


@pytest.mark.parametrize("text", ["s3://AKIAEXAMPLE:sEcReT@bucket/folder", "s3://sEcReT@bucket"])
def test_credentials_in_a_path_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="holds credentials") as refusal:
        any_path(text)
    assert "sEcReT" not in str(refusal.value)
    assert "sEcReT" not in without_secrets(f"no answer from {text}")


def test_a_path_without_a_bucket_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="names no bucket"):
        any_path("s3://")


def test_where_a_path_of_this_machine_is_needed_no_other_is_taken() -> None:
    with pytest.raises(ConfigurationError, match="no file of this machine"):
        user_path("s3://bucket/run")


def test_paths_of_this_machine_load_no_fsspec() -> None:
    code = "from leukobench.images import index; from leukobench.features.cache import FeatureCache as F; F.shared({})"
    code = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"fsspec", "s3fs", "aiohttp"} & set(done.stdout.split())
