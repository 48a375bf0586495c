"""Imports code by its name: leukobench's and what is installed, and of the user's own what is allowed."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..errors import CodeNotAllowedError, ConfigurationError
from .permission import parents, permission, serve, serve_as_parent, served
from .places import Code, is_pythons, own_code


class _FromSource(SourceFileLoader):
    """Reads the source alone: bytecode beside it, which nobody reads before he allows it, may say something else."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


_LOADERS = (ExtensionFileLoader, EXTENSION_SUFFIXES), (_FromSource, SOURCE_SUFFIXES)


class _Served:
    """Finds modules in the folders that are served, before any other finder; never those of Python itself."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        if path is None and is_pythons(name):
            return None
        for folder, files in reversed(list(served.items())):
            inside = [folder] if path is None else [one for part in path if (one := Path(part)).is_relative_to(folder)]
            for place in inside:
                spec = FileFinder(str(place), *_LOADERS).find_spec(name)
                if spec and (spec.origin or path is not None) and _may(spec, files):
                    return spec
        return None


def _may(spec: ModuleSpec, files: frozenset[Path] | None) -> bool:
    return files is None or spec.origin is None or Path(spec.origin) in files


def _begin_serving() -> None:
    if _Served not in sys.meta_path:
        sys.meta_path.insert(0, _Served)


def load(dotted: str) -> Any:
    """Import ``package.module:attribute``, or ``package.module.attribute``.

    Raises
    ------
    CodeNotAllowedError
        Its module is part of Python itself, or code of the user's own that is not allowed; nothing was imported.
    Exception
        Whatever happens while it is imported.
    """
    module, _, attribute = dotted.replace(":", ".").rpartition(".")
    return getattr(load_module(module), attribute)


def load_module(module: str) -> ModuleType:
    """Import a module, of the user's own code only what is allowed; raises as `load` does."""
    if is_pythons(module):
        raise CodeNotAllowedError(
            f"The module {module} is part of Python itself, and holds nothing to choose.",
            expected="a class of an installed package, or of a file in a folder that `plugins:` names",
            received=module,
            fix="correct the name.",
        )
    if code := own_code(module):
        if not is_allowed(code):
            raise CodeNotAllowedError(
                f"The module {module} is code of your own, which is not run unasked; nothing of it was imported.",
                expected=f"{_first(code)}, read and allowed by `--allow-code {code.digest}`",
                received=f"{module}, neither installed nor allowed",
                fix="read it, then add that option (in Python: allow_code=[...]); or give `leukobench run` an "
                "experiment file of your own, without the section `resolved` that runs add, whose `plugins:` name the "
                f"folder {code.folder}.",
                digests=(code.digest,),
            )
        _serve(code)
    return importlib.import_module(module)


def is_allowed(code: Code) -> bool:
    """Whether the user's own code may be imported now."""
    if not code.files:  # in an archive
        return False
    codes = permission().codes
    if code.folder in permission().named or code.digest in codes or any(_is_path_of(code, one) for one in codes):
        return True
    files = parents.get(code.folder, frozenset())
    return files is None or files.issuperset(code.files)


def _is_path_of(code: Code, words: str) -> bool:
    """Whether these words are the path of its file or package, rather than a name or a digest."""
    first = code.files[0].resolve()
    is_path = os.sep in words or words.endswith(".py")
    return is_path and Path(words).resolve() in (first, *([first.parent] if first.stem == "__init__" else []))


def _first(code: Code) -> Path:
    return code.files[0] if code.files else code.folder


def _serve(code: Code) -> None:
    tops = {file.relative_to(code.folder).parts[0].partition(".")[0] for file in code.files}
    for top in sorted(tops & sys.modules.keys()):
        loaded = getattr(sys.modules[top], "__file__", None)
        if loaded and Path(loaded).resolve() not in {file.resolve() for file in code.files}:
            raise ConfigurationError(
                f"Another module called {top} is in use in this process.",
                expected=f"that of {code.folder}",
                received=loaded,
                fix="give one of them another name, or use a process of its own.",
            )
    serve(code.folder, None if code.folder in permission().named else frozenset(code.files))
    _begin_serving()


if serve_as_parent():
    _begin_serving()
