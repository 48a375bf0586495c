"""A run whose images and feature cache are in an object store gives what it gives with local files, to the last bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("s3fs")

from leukobench.errors import ImagesError, StorageError
from leukobench.images.synthetic import draw_smears
from leukobench.pipeline import audit_images, run
from leukobench.remote.path import any_path
from leukobench.studies.feature_export import export_features

from .cli.calls import call
from .conftest import small_experiment
from .s3 import ENVIRONMENT, forget, store, upload

pytestmark = pytest.mark.s3
TABLES = ("images", "predictions", "folds")


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that grows by a byte with each image that is extracted; the cache is new."""
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COUNT_FILE", str(tmp_path / "seen"))
    (tmp_path / "seen").touch()
    return tmp_path / "seen"


def tables(outcome: Any, start: str) -> dict[str, pd.DataFrame]:
    """Of a run, without the folder that paths begin with."""
    read = {name: pd.read_parquet(outcome.folder / f"{name}.parquet") for name in TABLES}
    paths = {name: table for name, table in read.items() if "path" in table}
    return read | {name: table.assign(path=table["path"].str.removeprefix(start)) for name, table in paths.items()}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 32 small synthetic smears."""
    folder = tmp_path_factory.mktemp("pictures")
    draw_smears(folder, images=32, patients=16, seed=1, size=64)
    return folder


def tiny(images: Path | str, results: Path, name: str) -> Any:
    settings: dict[str, Any] = {"selectors": ["none"], "classifiers": ["lda"], "evaluation": {"folds": 2}}
    return small_experiment(images, results, name=name, **settings)  # type: ignore[arg-type]


def test_every_number_is_that_of_local_files(
    pictures: Path, bucket: str, seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(pictures, f"{bucket}/smears")
    remote = f"s3://{bucket}/smears"
    local = run(tiny(pictures, tmp_path, "local"), workers=1)
    monkeypatch.setenv("LEUKOBENCH_CACHE", f"s3://{bucket}/cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    there = run(tiny(remote, tmp_path, "there"), workers=1)
    assert seen.stat().st_size == 2 * 32
    for name, table in tables(there, remote).items():
        pd.testing.assert_frame_equal(table, tables(local, str(pictures))[name], check_exact=True)
    assert (there.folder / "report.html").stat().st_size > 10_000
    assert run(tiny(remote, tmp_path, "there"), workers=1).reused
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"].encode() not in written


def test_one_cache_serves_both(
    pictures: Path, bucket: str, seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(pictures, bucket)
    export_features(pictures, tmp_path / "local.parquet", "example_plugin:Colours")
    export_features(any_path(f"s3://{bucket}"), tmp_path / "remote.parquet", "example_plugin:Colours")
    assert seen.stat().st_size == 32
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("local", "remote"))
    pd.testing.assert_frame_equal(one.drop(columns="path"), other.drop(columns="path"), check_exact=True)


def test_a_connection_that_is_lost_ends_the_run_and_the_next_goes_on(
    pictures: Path, bucket: str, seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(pictures, bucket)
    experiment = tiny(f"s3://{bucket}", tmp_path, "lost")
    read, left = store().cat_file, [50]

    def lost(*arguments: Any, **options: Any) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise OSError("Connection reset by peer")
        return bytes(read(*arguments, **options))

    with monkeypatch.context() as patch:
        patch.setattr(store(), "cat_file", lost)
        with pytest.raises(StorageError, match="does not answer") as failure:
            audit_images(experiment, workers=1)
    assert "run the same command again" in failure.value.fix
    audited = audit_images(experiment, workers=1)
    assert len(pd.read_parquet(audited.folder / "images.parquet")) == 32


def test_mistakes_are_said_without_a_traceback(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(*arguments: str) -> str:
        code, output = call("run", *arguments)
        assert code == 2, output
        assert "Traceback" not in output
        return output

    assert "in no bucket of this name" in refused("s3://no-such-bucket/images")
    assert "holds no file" in refused(f"s3://{bucket}/nothing")
    output = refused("s3://AKIA:sEcReT@bucket/images")
    assert "holds credentials" in output
    assert "sEcReT" not in output
    assert "name a path of this machine" in refused(f"s3://{bucket}", "--results", "s3://bucket/results")
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget()
    assert "no credentials" in refused(f"s3://{bucket}/images")
    forget()


def test_without_images_nothing_is_computed(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ImagesError):
        run(tiny(f"s3://{bucket}/nothing", tmp_path, "none"), workers=1)
    assert not (tmp_path / "none" / "experiment.yaml").exists()
