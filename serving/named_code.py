"""Named code: modules that a bundle needs and does not hold, by name, version and digest of their files."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BundleError
from ..plugins.importing import load_module
from ..plugins.permission import allowing, permission, search_also
from ..plugins.places import Code, code_of, is_pythons

_NEVER = frozenset(["imblearn", "joblib", "leukobench", "numpy", "pandas", "scipy", "skops", "sklearn"])
"""Packages whose types stand in a list, or in none."""
_MOST = 20
one_at_a_time = threading.RLock()
"""Held where code is allowed, which is so for all threads."""


@dataclass(frozen=True)
class NamedCode:
    """A module or package of the user's own, or of another package, that a bundle needs.

    Attributes
    ----------
    module : str
        Its outermost name.
    version : str
        Of the installed package; '' where it is none.
    digest : str
        SHA-256 (hex) of its files.
    """

    module: str
    version: str
    digest: str

    @property
    def words(self) -> str:
        """Name, version and digest."""
        version = f" {self.version}" if self.version else ""
        return f"{self.module}{version} (SHA-256 {self.digest})"

    def to_mapping(self) -> dict[str, str]:
        """As a manifest holds it."""
        return asdict(self)


def can_be_named(module: str) -> bool:
    """Whether a bundle may name the module that a type belongs to, so that it is imported where somebody allows it."""
    top = _top(module)
    return top.isidentifier() and not is_pythons(top) and top not in _NEVER


def named(modules: Iterable[str]) -> list[NamedCode]:
    """Modules as a bundle names them.

    Raises
    ------
    BundleError
        One lies in no file.
    """
    return [_named(top) for top in sorted({_top(module) for module in modules})]


def _named(top: str) -> NamedCode:
    code = code_of(top)
    if code is None or not code.files:
        raise BundleError(
            f"A bundle cannot name the module {top}.",
            expected="a module in a file, or an installed package",
            received=f"{top}, which lies in none",
            fix="put the code into a file.",
        )
    return NamedCode(top, code.version, code.digest)


def from_manifest(entries: Any) -> list[NamedCode]:
    """What a manifest names.

    Raises
    ------
    ValueError
        It is nothing that `leukobench fit` writes.
    """
    whole = isinstance(entries, Sequence) and len(entries) <= _MOST and all(isinstance(e, Mapping) for e in entries)
    if not whole or any(not isinstance(e.get(key), str) for e in entries for key in ("module", "version", "digest")):
        raise ValueError("the manifest names code in another form")
    code = [NamedCode(e["module"], e["version"], e["digest"]) for e in entries]
    if not all(can_be_named(one.module) and re.fullmatch(r"\w+", one.module) for one in code):
        raise ValueError("the manifest names code that belongs to no bundle")
    return code


def import_allowed(code: Sequence[NamedCode], allow_code: Collection[str]) -> None:
    """Import the modules that a bundle needs.

    Parameters
    ----------
    code : sequence of NamedCode
    allow_code : collection of str
        Names of modules, or paths of their files or folders.

    Raises
    ------
    BundleError
        One is not allowed, not here, or another than the one that the bundle was made with; none is imported then.
    """
    folders = _folders([*allow_code, *permission().codes])
    refused = [one for one in code if one.module not in folders]
    if refused:
        names = " ".join(f"--allow-code {one.module}" for one in refused)
        raise BundleError(
            f"The bundle needs code that it does not contain: {', '.join(one.module for one in refused)}.",
            expected=f"`{names}`, once you have read that code",
            received=f"not allowed: {'; '.join(one.words for one in refused)}",
            fix="get it from where the bundle was made, read it, then add the option (in Python: allow_code=[...]).",
        )
    if not code:
        return
    with one_at_a_time:
        found = [_found(one, folders[one.module]) for one in code]
        with allowing([one.digest for one in found]):
            for one in found:
                load_module(one.module)


def _folders(allowed: Iterable[str]) -> dict[str, Path]:
    """Names of modules, and the folder in which each may lie beside those of Python: the present one by default."""
    return {Path(one).name.removesuffix(".py"): Path(one).parent.absolute() for one in allowed if one}


def _found(named_code: NamedCode, folder: Path) -> Code:
    """The code, as it lies here; nothing is imported."""
    code = code_of(named_code.module)
    if code is None or code.digest != named_code.digest:
        search_also([folder])
        code = code_of(named_code.module) or code
    if code is None:
        raise BundleError(
            f"The module {named_code.module}, which the bundle needs, is not here.",
            expected=named_code.words,
            received=f"nothing of this name in {folder}, nor installed",
            fix=f"install it, or name its file: `--allow-code FOLDER/{named_code.module}.py`.",
        )
    if code.digest != named_code.digest:
        raise BundleError(
            f"The module {named_code.module} is not the one that the bundle was made with; it was not imported.",
            expected=named_code.words,
            received=NamedCode(code.module, code.version, code.digest).words,
            fix="get the version that the bundle names, or make the bundle again with `leukobench fit`.",
        )
    return code


def _top(module: str) -> str:
    return module.partition(".")[0]
