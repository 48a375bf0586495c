"""Compare what a wheel holds with what ``setup.cfg`` promises: ``python tests/check_wheel.py WHEEL``."""

from __future__ import annotations

import configparser
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ABOUT = ("METADATA", "WHEEL", "RECORD", "top_level.txt", "entry_points.txt", "licenses/LICENSE")
"""Files of the folder ``.dist-info``."""


def promised(root: Path) -> tuple[set[str], list[str]]:
    """Paths in the wheel of every module and data file, and the patterns of data files that match none."""
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg", encoding="utf-8")
    patterns = {package: ["*.py"] for package in setup["options"]["packages"].split()}
    for package, data in setup["options.package_data"].items():
        patterns[package] = [*patterns[package], *data.split()]
    paths, empty = set(), []
    for package, own in patterns.items():
        folder = root.joinpath(*package.split(".")[1:])
        for pattern in own:
            files = [path for path in folder.glob(pattern) if path.is_file()]
            paths |= {f"leukobench/{path.relative_to(root).as_posix()}" for path in files}
            empty += [] if files else [f"{package}: {pattern}"]
    return paths, empty


def differences(wheel: Path, root: Path = ROOT) -> list[str]:
    """What the wheel lacks, what it should not hold, and what promises nothing."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if not name.endswith("/")}
    paths, empty = promised(root)
    name, version = wheel.name.split("-")[:2]
    paths |= {f"{name}-{version}.dist-info/{part}" for part in ABOUT}
    return [
        *(f"missing: {path}" for path in sorted(paths - names)),
        *(f"not ours to ship: {path}" for path in sorted(names - paths)),
        *(f"no file in {pattern}" for pattern in empty),
    ]


if __name__ == "__main__":
    sys.exit("\n".join(differences(Path(sys.argv[1]))) or 0)
