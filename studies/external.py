"""External tests: a bundle, or every combination of a run, on labelled images of another source."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, StorageError
from ..machine import Progress, code_digest
from ..remote.path import any_path
from ..reporting.report.page import write_report
from ..runs.external_answer import ANSWER, FOLDER, ExternalAnswer
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..serving.bundle import load
from ..storage import digest, file_name, lock, user_path
from .external_answer import answer_of
from .external_bundle import bundle_model
from .external_classes import ClassMap
from .external_images import ImageSource, check_source, read_external
from .external_model import Model
from .external_run import run_model

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_CODE = "studies.external"


@dataclass(frozen=True)
class ExternalTest:
    """A finished external test.

    Attributes
    ----------
    folder : Path
        Holds ``answer.json``, the tables, and contact sheets of the worst images.
    answer : ExternalAnswer
    reused : bool
        It was finished before, of the same images and the same model.
    """

    folder: Path
    answer: ExternalAnswer
    reused: bool = False


def is_run(path: Path) -> bool:
    """Whether this is the folder of a run, rather than a bundle.

    Raises
    ------
    ConfigurationError
        It is neither.
    """
    if (path / "leaderboard.csv").is_file():
        return True
    if path.suffix.lower() == ".zip" or (path / "manifest.json").is_file():
        return False
    raise ConfigurationError(
        f"{path} is neither a run nor a bundle.",
        expected="the folder of a finished run, or a bundle of `leukobench fit`: a folder or a .zip",
        received="a folder without leaderboard.csv and manifest.json" if path.is_dir() else "no such folder",
        fix="correct the path.",
    )


@dataclass(frozen=True)
class Request:
    """What is to be tested on what.

    Attributes
    ----------
    tested : Path
        Folder of a finished run, or a bundle.
    images : ImageSource
    class_map : str, optional
        Such as ``"blast=ALL,normal=hem"``; see `leukobench.studies.external_classes.map_classes`.
    name : str, optional
        Of the folder below ``external/``, which lies in the run's folder or beside the bundle; by default what the
        images' folder is called, after the bundle's name where one is tested.
    run : Path, optional
        Of which the bundle was made, where it does not lie in that folder: so that near-duplicates are found.
    best : int, optional
        Of a run, test this many of its best combinations alone.
    """

    tested: Path
    images: ImageSource
    class_map: str | None = None
    name: str | None = None
    run: Path | None = None
    best: int | None = None


def run_external_test(request: Request, workers: int | None = None, progress: Progress = silent) -> ExternalTest:
    """Score a bundle, or every combination of a run, on labelled images that it was not trained on.

    Copies of training images are left out. What was computed before is not computed again; a run's report is written
    again, with a section on the test.

    Raises
    ------
    ConfigurationError, ImagesError
        There is nothing to test, or no image of its classes; nothing was computed yet.
    BundleError, StorageError, BusyError
    """
    images = replace(request.images, folder=any_path(request.images.folder))
    model, home = _model(request, workers)
    classes = check_source(images, model.classes, request.class_map)
    title = request.name or _default_name(request.tested, images.folder, model.kind)
    _check_name(title)
    folder = RunFolder(home / FOLDER / title)
    with lock(folder.lock, f"testing '{title}'"), log_to(folder.log):
        workspace = Workspace.of(folder, workers, progress)
        folder.begin_features()
        try:
            test = _test(model, images, classes, title, workspace)
        finally:
            folder.end_features()
    _add_to_report(home)
    return test


def _model(request: Request, workers: int | None) -> tuple[Model, Path]:
    """What is tested, and the folder that gets ``external/``."""
    tested = user_path(request.tested)
    if is_run(tested):
        return run_model(FinishedRun.open(tested), request.best), tested
    bundle = load(tested, threads=workers)
    run = _run_of(tested, request.run, bundle.training_facts.image_ids)
    return bundle_model(bundle, run), tested.absolute().parent


def _run_of(tested: Path, run: Path | None, image_ids: frozenset[str]) -> FinishedRun | None:
    """The run that a bundle was made of: the one that is named, or the one in whose folder it lies."""
    if run is not None:
        opened = FinishedRun.open(run)
        if frozenset(opened.images["image_id"]) != image_ids:
            raise ConfigurationError(
                f"The bundle was not made of the run in {run}.",
                expected=f"the run with the {len(image_ids):,} images that it was trained on",
                received=f"{opened.images['image_id'].nunique():,} images, not the same ones",
                fix="name the right run, or leave --run out.",
            )
        return opened
    try:
        opened = FinishedRun.open(tested.absolute().parent)
        return opened if frozenset(opened.images["image_id"]) == image_ids else None
    except (ConfigurationError, StorageError):
        return None


def _check_name(name: str) -> None:
    """It is that of a folder below ``external/``."""
    if Path(name).name != name or name.startswith("."):
        raise ConfigurationError(
            "The name of the test is invalid.",
            expected="the name of a folder, without / and not beginning with a point",
            received=name,
            fix="choose another name with --name.",
        )


def _default_name(tested: Path, images: Path, kind: str) -> str:
    own = images.stem if images.suffix else images.absolute().name
    return file_name(own if kind == "run" else f"{tested.stem}-{own}")


def _test(model: Model, source: ImageSource, classes: ClassMap, title: str, workspace: Workspace) -> ExternalTest:
    external = read_external(source, classes, _training(model, classes), workspace)
    copies = external.copies
    decides = model.digest, external.index.digest(), sorted(classes.labels.items()), sorted(copies.kinds.items())
    state = digest([*decides, sorted(copies.compared), code_digest(_CODE)])
    if (before := _finished(workspace.folder, state)) is not None:
        return ExternalTest(workspace.folder.path, before, reused=True)
    facts = {"name": title, "state": state, "time": datetime.now(UTC).isoformat(timespec="seconds")}
    answer = answer_of(model, source, external, facts, workspace)
    workspace.folder.write_json(ANSWER, answer.to_json())
    _log.info("Tested '%s' on %s images.", title, f"{answer.images.scored:,}")
    return ExternalTest(workspace.folder.path, answer)


def _finished(folder: RunFolder, state: str) -> ExternalAnswer | None:
    """The answer of an earlier call, where nothing that decides it has changed and nothing failed."""
    stored = folder.read_json(ANSWER)
    if not isinstance(stored, dict) or stored.get("state") != state:
        return None
    answer = ExternalAnswer.from_json(stored)
    return None if any(one.error for one in answer.combinations) else answer


def _training(model: Model, classes: ClassMap) -> pd.DataFrame:
    """Training images, with the classes that are scored as labels; '' for what is not known of them."""
    import pandas as pd

    if model.training is None:
        return pd.DataFrame({"image_id": sorted(model.image_ids), "label": "", "path": ""}, dtype="str")
    names = {model.classes[one]: classes.classes[place] for place, own in enumerate(classes.members) for one in own}
    return model.training.assign(label=model.training["label"].map(names))


def _add_to_report(home: Path) -> None:
    """The report of the run, where there is one, gets a section."""
    folder = RunFolder(home)
    if (home / "report.html").is_file() and folder.was_finished():
        with lock(folder.lock, f"working in {home}"):
            write_report(home)
            folder.refresh()
