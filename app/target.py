"""What one app shows: a bundle, a run, or a folder of runs; set by whoever starts the server, never by a browser."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ConfigurationError
from ..remote.path import any_path
from ..storage import user_path

_VARIABLE = "LEUKOBENCH_APP"


@dataclass(frozen=True)
class Target:
    """What the pages may show and touch.

    Attributes
    ----------
    kind : {"bundle", "run", "runs"}
    path : Path
        The bundle, the run's folder or the folder of runs.
    images : tuple of Path
        Folders on which benchmarks may be started.
    results : Path, optional
        Folder of the runs that benchmarks write; None: the app shows none.
    """

    kind: Literal["bundle", "run", "runs"]
    path: Path
    images: tuple[Path, ...] = ()
    results: Path | None = None

    def runs(self) -> list[Path]:
        """Folders of runs with a leaderboard, the newest first."""
        folders = {self.path} if self.kind == "run" else set()
        if self.results:
            folders |= {path.parent for path in self.results.glob("*/leaderboard.csv")}
        written = [(_leaderboard_time(run), run.name, run) for run in folders]
        return [run for when, _, run in sorted(written, reverse=True) if when]

    def bundles(self) -> list[Path]:
        """Bundles: the one that was named, or those of the runs."""
        if self.kind == "bundle":
            return [self.path]
        return [run / "model" for run in self.runs() if _is_bundle(run / "model")]

    def publish(self) -> None:
        """Tell the pages, which Streamlit runs as a script."""
        settings = {
            "kind": self.kind,
            "path": str(self.path),
            "images": [str(folder) for folder in self.images],
            "results": str(self.results) if self.results else None,
        }
        os.environ[_VARIABLE] = json.dumps(settings)


def read_target() -> Target:
    """The target that `Target.publish` set.

    Raises
    ------
    ConfigurationError
        The script was not started by `leukobench.app.launch.serve`.
    """
    try:
        settings = json.loads(os.environ[_VARIABLE])
    except KeyError as error:
        raise ConfigurationError(
            "The app was started without a bundle or run.", fix="start it with `leukobench app`."
        ) from error
    results = Path(settings["results"]) if settings["results"] else None
    return Target(settings["kind"], Path(settings["path"]), tuple(map(any_path, settings["images"])), results)


def find_target(path: Path, images: Sequence[Path] = (), results: Path | None = None) -> Target:
    """Look at what lies at `path`.

    Parameters
    ----------
    path : Path
        A bundle (folder or zip), a run's folder, or a folder of runs. The last may be absent where benchmarks can be
        started: the first one makes it.
    images : sequence of Path
        Folders on which benchmarks may be started.
    results : Path, optional
        Folder of runs; by default `path` where it is one, else ``results`` where there are `images`.

    Raises
    ------
    ConfigurationError
        It is none of these, or a folder of images is none.
    """
    folders = tuple(_image_folder(folder) for folder in images)
    path = user_path(path).absolute()
    kind: Literal["bundle", "run", "runs"]
    if _is_bundle(path):
        kind = "bundle"
    elif (path / "leaderboard.csv").is_file():
        kind = "run"
    elif any(path.glob("*/leaderboard.csv")) or (folders and (path.is_dir() or not path.exists())):
        kind = "runs"
    else:
        raise ConfigurationError(
            "There is nothing to show.",
            expected="a bundle (manifest.json or a .zip), a run (leaderboard.csv), or a folder of runs",
            received=str(path),
            fix="run a benchmark first, name another folder, or give a folder of images with --images.",
        )
    if results is None:
        results = path if kind == "runs" else Path("results") if folders else None
    return Target(kind, path, folders, user_path(results).absolute() if results else None)


def _leaderboard_time(run: Path) -> float:
    """When its leaderboard was; 0 where it has just been deleted."""
    try:
        return (run / "leaderboard.csv").stat().st_mtime
    except OSError:
        return 0.0


def _is_bundle(path: Path) -> bool:
    return (path / "manifest.json").is_file() or (path.suffix == ".zip" and path.is_file())


def _image_folder(folder: Path) -> Path:
    resolved = any_path(folder).absolute()
    if not resolved.is_dir():
        raise ConfigurationError(
            "--images is not a folder.", expected="a folder of images", received=str(folder), fix="correct the path."
        )
    return resolved
