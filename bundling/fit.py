"""Fitting the winner of a run, or any of its combinations, on all images, and writing it as a bundle."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import pipeline
from ..config.experiment_file import is_experiment_file, is_of_run, read_experiment
from ..errors import ConfigurationError
from ..evaluation.combination_names import NAMES, Names, short_name, title
from ..machine import Progress
from ..pipeline import Outcome
from ..plugins.permission import allowing, named_by_user
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.notebook import block
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..serving.named_code import NamedCode, from_manifest
from ..steps.write_pixels import PIXELS
from ..storage import lock, user_path
from .bundle_parts import Parts, make_bundle
from .fit_features import fit_features
from .fit_network import choose_network, fit_network
from .fit_shortcuts import fit_shortcuts, load_measurements
from .measured_quantiles import measured_quantiles
from .pictures import make_pictures
from .run_facts import out_of_fold, run_facts
from .writing import check_target, write_bundle

_log = logging.getLogger(__name__)
_LISTED = 5


@dataclass(frozen=True, repr=False)
class FittedBundle:
    """A bundle that was written: its path, its digest, its combination in words, and its manifest."""

    path: Path
    digest: str
    title: str
    manifest: Mapping[str, object]

    @property
    def code(self) -> list[NamedCode]:
        """Code that it needs and does not contain."""
        return from_manifest(self.manifest.get("code", []))

    def __repr__(self) -> str:
        return f"FittedBundle({str(self.path)!r})\n{self.title}\ndigest: {self.digest}"

    def _repr_html_(self) -> str:
        """Where it is and what it is, for a notebook."""
        return block(f"Bundle: {self.path}", [self.title, f"digest: {self.digest}"])


def fit(
    run: str | Path | Outcome | FinishedRun,
    combination: Sequence[str] | None = None,
    out: str | Path | None = None,
    pictures: bool = False,
    workers: int | None = None,
    progress: Progress = silent,
    allow_code: Sequence[str] = (),
) -> FittedBundle:
    """Fit one combination of a run on all its images, and write a bundle.

    Images of a sealed holdout stay sealed: the combination is not fitted on them.

    Parameters
    ----------
    run : path-like, Outcome or FinishedRun
        A finished run or its folder, or an experiment file, which is then run first (and not again where it was
        finished).
    combination : (str, str, str), optional
        Extractor, selector and classifier as the leaderboard names them; the winner by default.
    out : path-like, optional
        Folder, or zip by its ending; ``<run>/model`` by default.
    pictures : bool
        Store a thumbnail of each training image, to be shown as an example beside new ones.
    workers : int, optional
        Cores; all by default.
    progress : Progress
    allow_code : sequence of str
        Code of your own that may run: digests, as a refusal names them, or paths of files.

    Returns
    -------
    FittedBundle

    Raises
    ------
    ConfigurationError
        The run is not finished, or has no such combination.
    BundleError
        The combination cannot be stored without pickle or Keras.
    ImagesChangedError
        Images have changed since the run, and their features are not cached.
    TrainingError
        A network that is trained end to end could not be trained on all images.
    """
    plugins, by_name = _named_with(run)
    with allowing(allow_code, by_name), named_by_user(plugins):
        return _fit(_open_run(run, workers, progress), combination, out, pictures, workers, progress)


def _named_with(run: str | Path | Outcome | FinishedRun) -> tuple[list[Path], bool]:
    """Folders of plug-ins that the user named with the run, and whether to name them is enough."""
    if isinstance(run, Outcome):
        return run.results.experiment.plugins, True
    if isinstance(run, FinishedRun) or not is_experiment_file(path := user_path(run)):
        return [], True
    return read_experiment(path).plugins, not is_of_run(path)


def _fit(
    finished: FinishedRun,
    combination: Sequence[str] | None,
    out: str | Path | None,
    pictures: bool,
    workers: int | None,
    progress: Progress,
) -> FittedBundle:
    folder = RunFolder(finished.folder)
    workspace = Workspace.of(folder, workers, progress)
    target = user_path(out).resolve() if out else folder.path / "model"
    check_target(target)
    with lock(folder.lock, f"working in {folder.path}"), log_to(folder.log):
        names = _choose(finished, combination)
        folder.begin_features()
        try:
            parts = _parts(finished, names, workspace, pictures)
            manifest, files = make_bundle(parts)
        finally:
            folder.end_features()
        facts = manifest.to_mapping()
        digest = write_bundle(target, facts, files)
    _log.info("Fitted %s on %s images.", title(names), f"{len(parts.task):,}")
    return FittedBundle(target, digest, title(names), facts)


def _open_run(run: str | Path | Outcome | FinishedRun, workers: int | None, progress: Progress) -> FinishedRun:
    if isinstance(run, Outcome):
        return run.results
    if isinstance(run, FinishedRun):
        return run
    path = user_path(run)
    if is_experiment_file(path):
        return pipeline.run(read_experiment(path), workers, progress).results
    return FinishedRun.open(path)


def _choose(run: FinishedRun, combination: Sequence[str] | None) -> Names:
    """Names of the combination, or of the winner."""
    if run.answer.chance:
        raise ConfigurationError("The labels of this run were permuted, so no bundle can be fitted.")
    table = run.leaderboard
    table = table[(table["kind"] == "combination") & (table["status"] == "ok")]
    scored: list[Names] = list(table[list(NAMES)].itertuples(index=False, name=None))
    names = tuple(combination or (run.answer.best.names if run.answer.best else ()))
    if combination and names not in scored:  # as a terminal shows them
        named = [row for row in scored if tuple(map(short_name, row)) == tuple(map(short_name, names))]
        names = named[0] if len(named) == 1 else names
    if names not in scored:
        listed = [" ".join(f"'{name}'" for name in row) for row in scored]
        raise ConfigurationError(
            f"The run has no scored combination {' x '.join(names)}.",
            expected="; ".join(listed[:_LISTED]) + ("; ..." if len(listed) > _LISTED else ""),
            received=" ".join(f"'{name}'" for name in names),
            fix="take names from leaderboard.csv.",
        )
    return scored[scored.index(names)]


def _parts(run: FinishedRun, names: Names, workspace: Workspace, pictures: bool) -> Parts:
    """All that the bundle is made of."""
    if names[0] == PIXELS:
        method = choose_network(run.experiment, names[2])
        fitted = fit_network(method, run.experiment, run.read_images, run.task, workspace)
    else:
        fitted = fit_features(run, names, workspace)
    with fitted.network.open(workspace.workers) as engine:
        pattern = next(iter(engine.vectors(iter([fitted.network.pattern()]))))
    measurements = load_measurements(run, workspace)
    return Parts(
        combination=fitted,
        pattern=pattern,
        task=run.task,
        out_of_fold=out_of_fold(run, names),
        shortcuts=fit_shortcuts(run, *measurements),
        quantiles=measured_quantiles(*measurements, run.task),
        pictures=make_pictures(run.images["path"].tolist(), workspace.progress) if pictures else [],
        facts=run_facts(run, names),
    )
