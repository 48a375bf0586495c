"""What a command requests: which images, whose they are, and where the output goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import ConfigurationError, ImagesError
from ..images.files import find_files
from ..images.groups import check_ends, compile_group

FORMATS = (".csv", ".json", ".parquet")


def find_images(paths: Sequence[Path]) -> tuple[dict[Path, str], int]:
    """The named files and all images below the named folders, and how many other files are there.

    Returns
    -------
    images : dict of Path to str
        Each path, and the part of it that a patient's ID is looked for in: below the named folder, as in a run.
    others : int

    Raises
    ------
    ImagesError
        A path does not exist, or no image is among them.
    """
    images: dict[Path, str] = {}
    others = 0
    for path in paths:
        if path.is_dir():
            files = find_files(path)
            images |= {path / name: name for name in files.images}
            others += len(files.refused)
        elif path.exists():
            images[path] = path.as_posix()
        else:
            raise ImagesError("There is no such image.", expected="a file or a folder", received=str(path))
    if not images:
        raise ImagesError("There are no images to predict.", received=f"{others} files that are not images")
    return images, others


def find_patients(names: Iterable[str], group: str | None) -> list[str] | None:
    """Patient ID that the regular expression `group` captures in each name ('' for no match); None without one."""
    if group is None:
        return None
    expression, names = compile_group(group), list(names)
    check_ends(expression, names)
    part = "patient" if "patient" in expression.groupindex else 1
    matches = [expression.search(name) for name in names]
    return [match[part] or "" if match else "" for match in matches]


def check_output(out: Path | None, bundle: Path) -> None:
    """Refuse, before any work, an output file of an unknown format, or inside the bundle."""
    if out is not None and out.suffix.lower() not in FORMATS:
        raise ConfigurationError(
            "The format of the output file is unknown.",
            expected=f"one of {', '.join(FORMATS)}",
            received=str(out),
        )
    if out is not None and bundle.resolve() in (out.resolve(), *out.resolve().parents):
        raise ConfigurationError("The output file is inside the bundle, which it would damage.", received=str(out))
