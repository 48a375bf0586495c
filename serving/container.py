"""The container: a bundle's files in a folder or a zip, read whole and verified before anything is built from them.

``SHA256SUMS`` lists every other file, as ``sha256sum --check`` reads it; the bundle's digest is that of this list.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError
from ..storage import TEMPORARY, atomic_path, explained, remove_leftovers

FORMAT = 1
KIND = "leukobench bundle"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_MOST_BYTES = 4 * 2**30
_LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]*)")
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOMENT = (1980, 1, 1, 0, 0, 0)


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


def write_bundle(target: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """Write a bundle, whole or not at all, over an earlier one.

    Parameters
    ----------
    target : Path
        A zip where the name ends in ``.zip``, else a folder.
    manifest : mapping
        JSON-like.
    files : mapping of str to bytes

    Returns
    -------
    str
        Its digest.

    Raises
    ------
    BundleError
        Something that is no bundle lies there.
    StorageError
        It cannot be written.
    """
    target = target.expanduser().resolve()
    check_target(target)
    said = {"kind": KIND, "format": FORMAT, **manifest}
    text = json.dumps(said, indent=2, allow_nan=False, ensure_ascii=False)
    stored = {**files, MANIFEST: text.encode("utf-8")}
    sums = "".join(f"{_sha256(stored[name])}  {name}\n" for name in sorted(stored)).encode()
    stored[SUMS] = sums
    if target.suffix.lower() == ".zip":
        _write_zip(target, stored)
    else:
        _write_folder(target, stored)
    return _sha256(sums)


def read_bundle(path: Path, digest: str | None = None) -> Contents:
    """Read a bundle and verify every byte of it.

    Parameters
    ----------
    path : Path
        Folder or zip.
    digest : str, optional
        What `leukobench fit` said: a bundle that was changed together with its list of digests is refused, too.

    Raises
    ------
    BundleError
        There is none, or it is damaged, incomplete, changed, of a newer format, or something else.
    """
    with _source(path) as read:
        manifest_bytes, sums = read(MANIFEST), read(SUMS)
        manifest = _manifest(path, manifest_bytes)
        listed = _listed(path, sums)
        if digest is not None and _sha256(sums) != digest.strip().lower():
            raise _refused(
                path, "is not the one that was asked for", f"digest {digest}", _sha256(sums), "get the right file."
            )
        if MANIFEST not in listed:
            raise _damaged(path, f"{MANIFEST} is not among the files of {SUMS}")
        files = {name: manifest_bytes if name == MANIFEST else read(name) for name in listed}
    for name, known in listed.items():
        if _sha256(files[name]) != known:
            raise _damaged(path, f"{name} is not as it was written")
    return Contents(manifest, files, _sha256(sums))


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
        found = json.loads(data)
        kind, number = found["kind"], found["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refused(path, "is no bundle of leukobench", KIND, f"another {MANIFEST}") from None
    if kind != KIND:
        raise _refused(path, "is no bundle of leukobench", KIND, repr(kind)[:80])
    if not isinstance(number, int) or number > FORMAT:
        fix = "install the leukobench that made it, or a newer one."
        raise _refused(path, "was made by a newer leukobench", f"format {FORMAT} or older", f"format {number}", fix)
    return dict(found)


def _listed(path: Path, sums: bytes) -> dict[str, str]:
    lines = sums.decode("utf-8", "replace").splitlines()
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise _damaged(path, f"{SUMS} is no list of digests")
    return {match[2]: match[1] for match in found if match}


@contextlib.contextmanager
def _source(path: Path) -> Any:
    """Yields a function that reads one file by its name."""
    try:
        if path.is_dir():
            if sum(file.stat().st_size for file in path.iterdir()) > _MOST_BYTES:
                raise _too_large(path)
            yield lambda name: _read_file(path, name)
        else:
            with zipfile.ZipFile(path) as archive:
                yield lambda name: _read_member(path, archive, name)
    except FileNotFoundError:
        raise _refused(path, "is not there", "a bundle: a folder or a .zip", "nothing", "correct the path.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, f"no whole zip file: {error}") from error
    except (OSError, ValueError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error


def _read_file(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise _lacking(folder, name) from None


def _read_member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        known = archive.getinfo(name)
    except KeyError:
        raise _lacking(path, name) from None
    if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
        raise _too_large(path)
    if known.compress_type not in _COMPRESSIONS:  # others unpack more than they say before it is noticed
        raise _damaged(path, f"{name} is compressed in a way that leukobench does not use")
    return archive.read(known)


def _too_large(path: Path) -> BundleError:
    return _refused(path, "is too large", f"at most {_MOST_BYTES / 2**30:.0f} GiB", "more, when unpacked")


def _lacking(path: Path, name: str) -> BundleError:
    if name in (MANIFEST, SUMS):
        return _refused(path, "is no bundle of leukobench, or lacks a part", f"{MANIFEST} and {SUMS}", f"no {name}")
    return _damaged(path, f"{name} is missing")


def check_target(target: Path) -> None:
    """Refuse, before any work, a place where something lies that is no bundle: it would be overwritten.

    Raises
    ------
    BundleError
    """
    if not target.name:
        raise _refused(target, "has no name", "a folder or a .zip", f"{target}")
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    foreign = "something else"
    try:
        with _source(target) as read:
            _manifest(target, read(MANIFEST))
            listed = {*_listed(target, read(SUMS)), SUMS}
        others = {file.name for file in target.iterdir()} - listed if target.is_dir() else set()
        foreign = ", ".join(sorted(others)[:3])
    except BundleError:
        pass
    if foreign:
        fix = "name another place with --out."
        raise _refused(target, "is there already, and is no bundle alone", "a new name, or a bundle", foreign, fix)


def _write_zip(target: Path, files: Mapping[str, bytes]) -> None:
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), files[name], zipfile.ZIP_DEFLATED, 6)


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent)
    new, old = (target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{target.name}") for _ in range(2))
    try:
        with explained(target):
            new.mkdir()
        for name, data in files.items():
            with atomic_path(new / name) as temporary:
                temporary.write_bytes(data)
        with explained(target):
            _swap(target, new, old)
    finally:
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _swap(target: Path, new: Path, old: Path) -> None:
    """Put `new` in the place of `target`; whatever interrupts, one of them lies there."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refused(path: Path, what: str, expected: str, received: str, fix: str = "") -> BundleError:
    return BundleError(f"{path} {what}.", expected=expected, received=received, fix=fix)


def _damaged(path: Path, how: str) -> BundleError:
    return BundleError(
        f"The bundle {path} is damaged or was changed.",
        received=how,
        fix="copy it again from where it was made, or make it again with `leukobench fit`.",
    )
