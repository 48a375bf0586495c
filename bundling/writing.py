"""Writing a bundle: a folder or a zip, whole or not at all, over an earlier one."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BundleError
from ..serving.container import FORMAT, KIND, MANIFEST, SUMS, file_names, sha256
from ..storage import atomic_path, remove_leftovers, storage_errors, temporary_path, user_path

_MOMENT = (1980, 1, 1, 0, 0, 0)


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
        Its digest, SHA-256 (hex).

    Raises
    ------
    BundleError
        Something other than a bundle is there.
    StorageError
        It cannot be written.
    """
    target = user_path(target).resolve()
    check_target(target)
    described = {"kind": KIND, "format": FORMAT, **manifest}
    text = json.dumps(described, indent=2, allow_nan=False, ensure_ascii=False)
    stored = {**files, MANIFEST: text.encode("utf-8")}
    sums = "".join(f"{sha256(stored[name])}  {name}\n" for name in sorted(stored)).encode()
    stored[SUMS] = sums
    if target.suffix.lower() == ".zip":
        _write_zip(target, stored)
    else:
        _write_folder(target, stored)
    return sha256(sums)


def check_target(target: Path) -> None:
    """Refuse, before any work, a place that holds something other than a bundle: it would be overwritten.

    Raises
    ------
    BundleError
    """
    if not target.name:
        raise BundleError(f"The output {target} has no name.", expected="a folder or a .zip", received=f"{target}")
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        others = {file.name for file in target.iterdir()} if target.is_dir() else set()
        foreign = ", ".join(sorted(others - file_names(target))[:3])
    except BundleError:
        foreign = "something else"
    if foreign:
        raise BundleError(
            f"{target} already exists and contains files that are not part of a bundle.",
            expected="a new name, or an existing bundle",
            received=foreign,
            fix="choose another place with --out.",
        )


def _write_zip(target: Path, files: Mapping[str, bytes]) -> None:
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), files[name], zipfile.ZIP_DEFLATED, 6)


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent)
    new, old = (temporary_path(target) for _ in range(2))
    try:
        with storage_errors(target):
            new.mkdir()
        for name, data in files.items():
            with atomic_path(new / name) as temporary:
                temporary.write_bytes(data)
        with storage_errors(target):
            _swap(target, new, old)
    finally:
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _swap(target: Path, new: Path, old: Path) -> None:
    """Replace `target` by `new`; after any interruption one of them is there."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
