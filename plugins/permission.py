"""What code of users may be imported in this process, and in the processes that it starts."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ConfigurationError

VARIABLE = "LEUKOBENCH_SERVED_CODE"
"""Environment variable by which the processes of a run serve the code that the run serves; set in a run alone."""


@dataclass(frozen=True)
class Permission:
    """What was allowed.

    Attributes
    ----------
    folders : tuple of Path
        Of the experiment at work.
    named : frozenset of Path
        Those of which whatever they hold may be imported, because the user named the experiment that names them.
    codes : frozenset of str
        Digests of code that may be imported wherever it lies, and paths of files that may be imported whatever they
        hold; of a bundle, names of modules.
    by_name : bool
        Whether to name an experiment is enough.
    """

    folders: tuple[Path, ...] = ()
    named: frozenset[Path] = frozenset()
    codes: frozenset[str] = frozenset()
    by_name: bool = True


_stack = [Permission()]
_read: list[Path] = []
"""Folders that experiments name which were read out of run folders."""
served: dict[Path, frozenset[Path] | None] = {}
"""Folder that code was imported from -> the files that may be imported from it, None for all. The last comes first."""
parents: dict[Path, frozenset[Path] | None] = {}
"""The same, of the process that started this one as its worker."""


def permission() -> Permission:
    """What is allowed now."""
    return _stack[-1]


@contextlib.contextmanager
def _changed(changed: Permission) -> Iterator[None]:
    variable = os.environ.get(VARIABLE)
    _stack.append(changed)
    try:
        yield
    finally:
        _stack.pop()
        os.environ.pop(VARIABLE, None)
        if variable is not None:
            os.environ[VARIABLE] = variable


@contextlib.contextmanager
def named_by_user(folders: Sequence[Path]) -> Iterator[None]:
    """Search the folders of an experiment that the user named, and allow what they hold.

    Raises
    ------
    ConfigurationError
        There is no such folder.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(
                "There is no such folder of plug-ins.",
                expected="a folder that holds Python modules, relative to the experiment file",
                received=str(folder),
                fix="correct `plugins:`.",
            )
    resolved = tuple(folder.resolve() for folder in folders)
    now = permission()
    named = now.named.union(resolved) if now.by_name else now.named
    with _changed(replace(now, folders=(*resolved, *now.folders), named=named)):
        yield


@contextlib.contextmanager
def allowing(codes: Iterable[str] = (), by_name: bool = True) -> Iterator[None]:
    """Allow code with these digests or paths, beside what is allowed already.

    Parameters
    ----------
    codes : iterable of str
        Digests, as `Code.digest` gives them or a refusal names them; or paths of modules or packages.
    by_name : bool
        False: from now on it is not enough that the user named an experiment.
    """
    now = permission()
    with _changed(replace(now, codes=now.codes.union(codes), by_name=now.by_name and by_name)):
        yield


def search_also(folders: Sequence[Path]) -> None:
    """Look for code in the folders of a run that was read, too; none of it is allowed for that."""
    resolved = [folder.resolve() for folder in folders]
    _read[:] = [*resolved, *(folder for folder in _read if folder not in resolved)]


def searched() -> tuple[Path, ...]:
    """Folders that are searched for code: of the experiment at work, then of runs that were read, the last first."""
    return (*permission().folders, *_read)


def serve(folder: Path, files: frozenset[Path] | None) -> None:
    """Let these files of a folder, or all, be imported here and in processes that are started from now on."""
    before = served.pop(folder, frozenset())
    served[folder] = None if files is None or before is None else before | files
    state = {str(one): None if known is None else sorted(map(str, known)) for one, known in served.items()}
    os.environ[VARIABLE] = json.dumps(state)


def serve_as_parent() -> bool:
    """Serve what the process serves that started this one; whether there is anything."""
    for folder, files in json.loads(os.environ.get(VARIABLE) or "{}").items():
        parents[Path(folder)] = None if files is None else frozenset(map(Path, files))
    served.update(parents)
    return bool(parents)


def be_nobodys_worker() -> None:
    """Serve nothing that the process serves that started this one: a command decides for itself."""
    parents.clear()
    served.clear()
    os.environ.pop(VARIABLE, None)
