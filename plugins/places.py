"""Where the code of a module lies: in an installed package, or in a file of the user's own."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ModuleSpec
from pathlib import Path

from ..storage import digest, file_digest
from .permission import searched

_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)
_OURS = "leukobench"


@dataclass(frozen=True)
class Code:
    """The code of a module.

    Attributes
    ----------
    module : str
        Such as ``"mypackage.models"``.
    folder : Path
        That it is imported from: it holds the module, or the package that the module belongs to.
    files : tuple of Path
        Those of the module, or of its whole package, the one that is imported first; of the user's own code also the
        modules beside it that its words name.
    installed : bool
        It belongs to an installed package.
    """

    module: str
    folder: Path
    files: tuple[Path, ...]
    installed: bool

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files and of their names."""
        return digest(sorted([path.relative_to(self.folder).as_posix(), file_digest(path)] for path in self.files))

    @functools.cached_property
    def version(self) -> str:
        """Version of the installed package; '' for the user's own."""
        from importlib.metadata import packages_distributions, version

        owners = packages_distributions().get(_top(self.module), []) if self.installed else []
        return version(owners[0]) if owners else ""


def own_code(module: str) -> Code | None:
    """The code of a module that is the user's own; None where it is installed, or nowhere. Nothing is imported."""
    code = code_of(module)
    return None if code is None or code.installed else code


def code_of(module: str) -> Code | None:
    """The code of a module, which is not imported for it; None where there is none, or none in files.

    Folders of plug-ins come first, then what Python would import.
    """
    top = _top(module)
    if not top.isidentifier() or is_pythons(module):
        return None
    for folder in searched():
        if _files(folder, top):
            return Code(module, folder, _with_neighbours(folder, top), installed=False)
    spec = _spec(top)
    if spec is None:
        return None
    if spec.origin is None:
        return _of_namespace(module, spec)
    file = Path(spec.origin)
    folder = file.parent.parent if spec.submodule_search_locations else file.parent
    installed = top == _OURS or _is_installed(folder, top) or _found_by_editable_install(top)
    folder = folder if installed else folder.resolve()
    return Code(module, folder, tuple(_files(folder, top)) if installed else _with_neighbours(folder, top), installed)


def is_pythons(module: str) -> bool:
    """Whether a module is part of Python itself, or the script that runs."""
    return _top(module) in sys.stdlib_module_names or _top(module) == "__main__"


def _top(module: str) -> str:
    return module.partition(".")[0]


def _spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None


def _of_namespace(module: str, spec: ModuleSpec) -> Code | None:
    """A package without ``__init__.py``, parts of which may lie anywhere: installed where all of them are."""
    top, parts = _top(module), [Path(part) for part in spec.submodule_search_locations or ()]
    own = [part.parent.resolve() for part in parts if not _is_installed(part.parent, top)]
    if own:
        return Code(module, own[0], tuple(_importable(own[0] / top)), installed=False)
    return Code(module, parts[0].parent, tuple(_importable(parts[0])), installed=True) if parts else None


def _files(folder: Path, top: str) -> list[Path]:
    """Files of a module or package below a folder, the one that is imported first; none where it is not there."""
    package = folder / top
    for suffix in _SUFFIXES:
        if (package / f"__init__{suffix}").is_file():
            first = package / f"__init__{suffix}"
            return [first, *(path for path in _importable(package) if path != first)]
    return [file for suffix in _SUFFIXES if (file := folder / f"{top}{suffix}").is_file()][:1]


def _importable(package: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(package):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(_SUFFIXES))


def _with_neighbours(folder: Path, top: str) -> tuple[Path, ...]:
    """Files of a module and of the modules beside it that occur as words in them: what it may import from there."""
    waiting, reached = [top], dict[str, list[Path]]()
    while waiting:
        name = waiting.pop()
        reached[name] = _files(folder, name)
        words = {word for file in reached[name] if file.suffix == ".py" for word in _words(file)}
        waiting += [word for word in sorted(words - reached.keys() - {*waiting}) if _files(folder, word)]
    return tuple(dict.fromkeys(file for files in reached.values() for file in files))


def _words(file: Path) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", file.read_text(encoding="utf-8", errors="replace")))


def _is_installed(folder: Path, top: str) -> bool:
    return folder in _places(tuple(sys.path)) or _distributed(str(folder), top)


@functools.lru_cache(maxsize=1)
def _places(path: Sequence[str]) -> frozenset[Path]:
    """Folders of installed packages, and those that files ``.pth`` among these name."""
    import site

    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    places = [Path(place) for place in (*site.getsitepackages(), *users)]
    named = [line.strip() for place in places for file in place.glob("*.pth") for line in _lines(file)]
    return frozenset([*places, *(place / line for place in places for line in named if line and line[0] != "#")])


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if not line.startswith(("import ", "import\t"))]


def _distributed(folder: str, top: str) -> bool:
    """Whether an installed package beside a module says that it holds it, as ``pip install --target`` leaves both."""
    from importlib.metadata import distributions

    for one in distributions(path=[folder]):
        names = (one.read_text("top_level.txt") or "").split()
        if top in names or any(file.parts[0] in (top, f"{top}.py") for file in one.files or ()):
            return True
    return False


def _found_by_editable_install(top: str) -> bool:
    """Whether a finder gives it that an editable install left: they name themselves so."""
    finders = [finder for finder in sys.meta_path if "editable" in str(getattr(finder, "__module__", "")).lower()]
    return any(finder.find_spec(top, None) is not None for finder in finders)
