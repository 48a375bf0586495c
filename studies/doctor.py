"""What is wrong with this machine, this installation or this cache, and what helps: `leukobench doctor`."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Literal

from .. import __version__
from ..errors import BusyError, LeukobenchError
from ..features.engines import choose_engine
from ..machine import cores, has_gpu
from ..networks import frameworks, get_network
from ..networks.weights import locate
from ..runs.costs import in_bytes
from ..storage import HELD, cache_folder, lock, temporary_path, write_text
from .cache_check import CacheState, look_into_cache

Level = Literal["ok", "note", "problem"]

_GB = 10**9
_ENGINES = ("openvino", "keras", "tensorflow", "torch", "jax", "xgboost", "scikit-learn-intelex", "optuna", "streamlit")
_OTHER_NAMES = {"tensorflow": ("tensorflow-cpu",), "xgboost": ("xgboost-cpu",)}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")
_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
_LARGEST = 5
_CLEAN = "`leukobench doctor --clean` deletes it; what is needed is computed again"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes
    ----------
    level : {"ok", "note", "problem"}
        A problem ends a run, or gives it damaged files; of a note it is worth knowing.
    subject, words : str
    fix : str
        What helps; empty only where nothing has to be done.
    """

    level: Level
    subject: str
    words: str
    fix: str = ""


def examine(results: Path) -> tuple[list[Finding], CacheState]:
    """Every finding, and the state of the cache; nothing is changed, nothing is downloaded."""
    state = look_into_cache()
    findings = [
        *_versions(),
        *_engines(),
        *_processor(),
        *_memory(),
        *_disk(results),
        *_permissions(results),
        *_thread_limits(),
        *_locks(results),
        *_weights(),
        *_cache(state),
    ]
    return findings, state


def _versions() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    unmet: list[tuple[str, str]] = []
    wanted: list[str] = []
    with contextlib.suppress(PackageNotFoundError):  # a checkout that was never installed
        wanted = requires("leukobench") or []
    for text in wanted:
        one = Requirement(text)
        extra = "extra ==" in text
        if one.marker and not any(one.marker.evaluate({"extra": name}) for name in ("", "cpu", "app", "tuning")):
            continue
        version = frameworks.package_version(one.name)
        if (not version and not extra) or (version and not one.specifier.contains(version, prereleases=True)):
            unmet.append((f"{one.name}{one.specifier}", version or "absent"))
    fix = "pip install " + " ".join(f"'{name}'" for name, _ in unmet)
    words = "; ".join(f"{name} is required, found: {found}" for name, found in unmet)
    own = f"leukobench {__version__}, Python {platform.python_version()}, every requirement met"
    yield Finding("problem" if unmet else "ok", "versions", words or own, fix if unmet else "")


def _engines() -> Iterator[Finding]:
    versions = [(name, frameworks.package_version(name) or _other_version(name)) for name in _ENGINES]
    installed = ", ".join(f"{name} {number}" for name, number in versions if number)
    absent = [name for name, number in versions if not number and name in {"openvino", "xgboost"}]
    try:
        # Whether Keras can use a GPU takes importing it, which would take all of the time.
        chosen = "Keras, where it can use the GPU, or OpenVINO" if has_gpu() else choose_engine()
    except LeukobenchError as error:
        yield Finding("problem", "engines", f"{error.what} Installed: {installed or 'none'}", error.fix)
        return
    yield Finding("ok", "engines", f"networks run on {chosen}; installed: {installed}")
    if absent:
        yield Finding("note", "engines", f"not installed: {', '.join(absent)}", "pip install 'leukobench[cpu]'")
    if not frameworks.keras_installed():
        words = "Keras is not installed: networks that are not converted yet cannot be read"
        yield Finding("note", "engines", words, "pip install 'leukobench[cpu]'")


def _other_version(name: str) -> str:
    return next(filter(None, map(frameworks.package_version, _OTHER_NAMES.get(name, ()))), "")


def _processor() -> Iterator[Finding]:
    flags: set[str] = set()
    with contextlib.suppress(OSError):  # elsewhere than on Linux
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")))
    sets = [name for name in _SETS if name in flags]
    words = f"{cores()} of {os.cpu_count()} cores, {platform.machine()}, {' '.join(sets) or 'instruction sets unknown'}"
    yield Finding("ok", "processor", words)
    if flags & _BF16:
        yield Finding("ok", "bfloat16", "in hardware: `precision: bfloat16` is up to twice as fast as float32")
    else:
        yield Finding("note", "bfloat16", "not in hardware: bfloat16 would be slow here", "leave `precision: float32`")
    yield _gpu()


def _gpu() -> Finding:
    if not has_gpu():
        return Finding("ok", "GPU", "none is seen; networks run on the processor")
    backend = frameworks.configured_backend()
    if backend and not (backend == "tensorflow" and frameworks.package_version("tensorflow-cpu")):
        return Finding("ok", "GPU", f"there is one; {backend} of Keras uses it if the driver fits")
    fix = "pip install 'leukobench[gpu]' in an environment of its own; or CUDA_VISIBLE_DEVICES=-1 to hide the GPU"
    return Finding("note", "GPU", "there is one, which the installed Keras cannot use", fix)


def _memory() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    with contextlib.suppress(OSError, ValueError):  # the container's limit, where it has one
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
        free = min(free, total - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    words = f"{in_bytes(free)} of {in_bytes(total)} are free"
    fix = "end other programs, or use fewer processes: --workers 1" if free < 2 * _GB else ""
    yield Finding("problem" if free < _GB else "note" if fix else "ok", "memory", words, fix)


def _disk(results: Path) -> Iterator[Finding]:
    places = {"cache": cache_folder(), "results": results, "temporary files": Path(tempfile.gettempdir())}
    for name, folder in places.items():
        free = shutil.disk_usage(_existing(folder)).free
        words = f"{in_bytes(free)} are free for {name} ({folder})"
        fix = "free some space, or choose a folder on another disk" if free < 5 * _GB else ""
        yield Finding("problem" if free < _GB else "note" if fix else "ok", "disk", words, fix)


def _existing(folder: Path) -> Path:
    """`folder`, or the first above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _permissions(results: Path) -> Iterator[Finding]:
    fixes = {
        cache_folder(): "set LEUKOBENCH_CACHE to a folder that you may write to",
        results: "choose another folder with --results, or get permission to write there",
        Path(tempfile.gettempdir()): "set TMPDIR to a folder that you may write to",
    }
    refused = []
    for folder, fix in fixes.items():
        trial = _existing(folder) / f".leukobench-doctor-{os.getpid()}"
        try:
            write_text(trial, "")
            trial.unlink()
        except (LeukobenchError, OSError) as error:
            refused.append(Finding("problem", "permissions", f"{folder} cannot be written: {error}", fix))
    yield from refused or [Finding("ok", "permissions", "cache, results and temporary files can be written")]


def _thread_limits() -> Iterator[Finding]:
    named = {name: os.environ[name] for name in _THREADS if name in os.environ}
    above = [name for name, text in named.items() if not text.isdigit() or int(text) > cores()]
    words = ", ".join(f"{name}={text}" for name, text in named.items()) or "the environment sets none"
    if above:
        fix = f"unset {' '.join(above)}: leukobench divides the cores itself"
        yield Finding("note", "threads", f"{words}; there are {cores()} cores", fix)
    else:
        yield Finding("ok", "threads", words)
    if sys.platform != "win32":
        import resource

        for number, name, option, least in (
            (resource.RLIMIT_NOFILE, "open files", "n", 1024),
            (resource.RLIMIT_NPROC, "processes", "u", 512),
        ):
            limit = resource.getrlimit(number)[0]
            if limit != resource.RLIM_INFINITY and limit < least:
                yield Finding("note", "limits", f"at most {limit} {name}", f"ulimit -{option} {least}")
    shared = Path("/dev/shm")
    if shared.is_dir() and (size := shutil.disk_usage(shared).total) < _GB // 4:
        fix = "start the container with --shm-size=1g, or set JOBLIB_TEMP_FOLDER=/tmp"
        yield Finding("note", "shared memory", f"{in_bytes(size)}, which workers share", fix)


def _locks(results: Path) -> Iterator[Finding]:
    for folder in (cache_folder(), results):
        if folder.is_dir() and not _has_locks(folder):
            fix = "let no two commands work there at once, or choose a folder on a local disk"
            yield Finding("note", "locks", f"the file system of {folder} has no locks", fix)
    working = []
    for path in sorted(results.glob("*/.lock")):
        try:
            with lock(path, "looking"):
                pass
        except BusyError:
            working.append(path.parent.name)
        except LeukobenchError:
            continue
        held = path.with_name(path.name + HELD)
        if held.exists():
            fix = f"delete {held} if no command works there"
            yield Finding("note", "locks", f"{held} keeps other commands away from {path.parent.name}", fix)
    yield Finding("ok", "locks", f"at work: {', '.join(working)}" if working else f"no command works in {results}")


def _has_locks(folder: Path) -> bool:
    """Whether the file system of a folder locks, without a file that stands for the lock; see `leukobench.storage`."""
    trial = temporary_path(folder / "lock")
    try:
        with lock(trial, "looking"):
            return not trial.with_name(trial.name + HELD).exists()
    except LeukobenchError:
        return True  # the folder cannot be written, which is another finding
    finally:
        trial.unlink(missing_ok=True)


def _weights() -> Iterator[Finding]:
    try:
        weights = locate(get_network("efficientnet_lite0"))
    except LeukobenchError as error:
        yield Finding("problem", "weights", error.what, error.fix)
    else:
        yield Finding("ok", "weights", f"EfficientNet-Lite0: {weights.label}, as published")
    files = [path for path in (frameworks.keras_folder() / "models").glob("*.h5") if path.is_file()]
    if files:
        held = in_bytes(sum(path.stat().st_size for path in files))
        yield Finding("ok", "weights", f"{len(files)} downloaded files, {held}; each is compared when it is used")


def _cache(state: CacheState) -> Iterator[Finding]:
    words = ", ".join(f"{name} {in_bytes(size)}" for name, size in state.sizes.items()) or "empty"
    yield Finding("ok", "cache", f"{state.folder}: {words}")
    for one in state.extractors[:_LARGEST]:
        yield Finding("ok", "cache", f"{in_bytes(one.bytes)}: {one.title} ({one.parts} files)")
    if len(state.extractors) > _LARGEST:
        rest = state.extractors[_LARGEST:]
        yield Finding("ok", "cache", f"{in_bytes(sum(one.bytes for one in rest))}: {len(rest)} more extractors")
    if unchecked := sum(one.unchecked for one in state.extractors):
        yield Finding("ok", "cache", f"{unchecked} files were not read, for want of time; a run checks what it reads")
    for part in state.unused[:_LARGEST]:
        name = part.path.relative_to(state.folder)
        yield Finding("note", "cache", f"unused, {in_bytes(part.bytes)}: {name}: {part.reason}", _CLEAN)
    if len(state.unused) > _LARGEST:
        size = in_bytes(sum(part.bytes for part in state.unused[_LARGEST:]))
        yield Finding("note", "cache", f"unused, {size}: {len(state.unused) - _LARGEST} more", _CLEAN)
