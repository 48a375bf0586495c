"""The container: a bundle's files in a folder or a zip, read whole and verified before anything is built from them.

``SHA256SUMS`` lists every other file, as ``sha256sum --check`` reads it; the bundle's digest is that of this list.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError

FORMAT = 1
KIND = "leukobench bundle"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_MOST_BYTES = 4 * 2**30
_LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]*)")
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Contents:
    """What a bundle holds, verified.

    Attributes
    ----------
    manifest : dict
    files : mapping of str to bytes
        Every file but the list of digests.
    digest : str
        SHA-256 (hex) over everything.
    """

    manifest: dict[str, Any]
    files: Mapping[str, bytes]
    digest: str

    def file(self, name: str) -> bytes:
        """Bytes of the file `name`.

        Raises
        ------
        BundleError
            There is no such file.
        """
        if name not in self.files:
            raise BundleError(f"The bundle lacks the file {name}.", fix="make it again with `leukobench fit`.")
        return self.files[name]


def read_bundle(path: Path, digest: str | None = None) -> Contents:
    """Read a bundle and verify every byte of it.

    Parameters
    ----------
    path : Path
        Folder or zip.
    digest : str, optional
        SHA-256 that `leukobench fit` printed: a bundle that was changed together with its list is refused, too.

    Raises
    ------
    BundleError
        There is none, or it is damaged, incomplete, changed, of a newer format, or something else.
    """
    with _source(path) as read:
        manifest_bytes, sums = read(MANIFEST), read(SUMS)
        manifest = _manifest(path, manifest_bytes)
        listed = _digests(path, sums)
        if digest is not None and sha256(sums) != digest.strip().lower():
            raise _refusal(
                path, "has another SHA-256 than the required one", digest, sha256(sums), "get the right file."
            )
        if MANIFEST not in listed:
            raise _damage(path, f"{MANIFEST} is not among the files of {SUMS}")
        files = {name: manifest_bytes if name == MANIFEST else read(name) for name in listed}
    for name, expected in listed.items():
        if sha256(files[name]) != expected:
            raise _damage(path, f"{name} is not as it was written")
    return Contents(manifest, files, sha256(sums))


def file_names(path: Path) -> set[str]:
    """Names of a bundle's files, as it lists them; only its kind and format are checked.

    Raises
    ------
    BundleError
        There is none, or something else.
    """
    with _source(path) as read:
        _manifest(path, read(MANIFEST))
        return {*_digests(path, read(SUMS)), SUMS}


def arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """What an ``.npz`` file holds; nothing is unpickled, and nothing that is compressed is unpacked.

    Raises
    ------
    ValueError
        It holds something else.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("an array is compressed")
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _manifest(path: Path, data: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
        kind, number = manifest["kind"], manifest["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refusal(path, "is no bundle of leukobench", KIND, f"another {MANIFEST}") from None
    if kind != KIND:
        raise _refusal(path, "is no bundle of leukobench", KIND, repr(kind)[:80])
    if type(number) is not int or not 1 <= number <= FORMAT:
        fix = "install the leukobench that made it, or a newer one."
        raise _refusal(path, "was made by a newer leukobench", f"format {FORMAT} or older", f"format {number}", fix)
    return dict(manifest)


def _digests(path: Path, sums: bytes) -> dict[str, str]:
    *lines, rest = sums.decode("utf-8", "replace").split("\n")
    matches = [_LINE.fullmatch(line) for line in lines]
    if rest or not all(matches):  # a last line without its end may be cut
        raise _damage(path, f"{SUMS} is no list of digests")
    return {match[2]: match[1] for match in matches if match}


@contextlib.contextmanager
def _source(path: Path) -> Any:
    """Yields a function that reads one file by its name."""
    try:
        if path.is_dir():
            if sum(file.stat().st_size for file in path.iterdir() if file.is_file()) > _MOST_BYTES:
                raise _excess(path)
            yield lambda name: _read_file(path, name)
        else:
            if path.exists() and not path.is_file():
                raise _damage(path, "no regular file")
            with zipfile.ZipFile(path) as archive:
                yield lambda name: _read_member(path, archive, name)
    except FileNotFoundError:
        raise _refusal(path, "is not there", "a bundle: a folder or a .zip", "nothing", "correct the path.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damage(path, f"no whole zip file: {error}") from error
    except (OSError, ValueError) as error:
        raise _damage(path, f"cannot be read: {error}") from error


def _read_file(folder: Path, name: str) -> bytes:
    """A regular file, no more of it than it has bytes: a device or a pipe, also behind a link, never ends."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, IsADirectoryError):
        raise _absence(folder, name) from None
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _damage(folder, f"{name} is no regular file")
        return stream.read(min(status.st_size, _MOST_BYTES))


def _read_member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise _absence(path, name) from None
    if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
        raise _excess(path)
    if member.compress_type not in _COMPRESSIONS:  # others unpack more than they say before it is noticed
        raise _damage(path, f"{name} is compressed in a way that leukobench does not use")
    return archive.read(member)


def _excess(path: Path) -> BundleError:
    return _refusal(path, "is too large", f"at most {_MOST_BYTES / 2**30:.0f} GiB", "more, when unpacked")


def _absence(path: Path, name: str) -> BundleError:
    if name in (MANIFEST, SUMS):
        return _refusal(path, "is no bundle of leukobench, or lacks a part", f"{MANIFEST} and {SUMS}", f"no {name}")
    return _damage(path, f"{name} is missing")


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def _refusal(path: Path, what: str, expected: str, received: str, fix: str = "") -> BundleError:
    return BundleError(f"{path} {what}.", expected=expected, received=received, fix=fix)


def _damage(path: Path, how: str) -> BundleError:
    return BundleError(
        f"The bundle {path} is damaged or was changed.",
        received=how,
        fix="copy it again from where it was made, or make it again with `leukobench fit`.",
    )
