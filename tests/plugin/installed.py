"""A package from outside, as pip leaves it in a folder: a module, and the entry points that lead to it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path


def installed(folder: Path, name: str, source: str, entry_points: Mapping[str, Mapping[str, str]]) -> Path:
    """Install the module `name` into `folder`, which works in any process that has it on its PYTHONPATH.

    Parameters
    ----------
    folder : Path
        Made where it is absent.
    name : str
        Of the module and of the package.
    source : str
        What the module holds; it may be indented.
    entry_points : mapping
        Group, such as ``"leukobench.metrics"`` -> name -> ``"module:attribute"``.
    """
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(source))
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "top_level.txt").write_text(f"{name}\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in items.items())])
        for group, items in entry_points.items()
    ]
    (facts / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    return folder
