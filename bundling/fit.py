"""Fitting: the winner of a run, or any of its combinations, fitted on all its images and made a bundle."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pipeline
from ..config.experiment import Experiment
from ..config.experiment_file import read_experiment
from ..errors import BundleError, ConfigurationError, ImagesChangedError, ImagesError, UnreadableImageError
from ..evaluation.refit import refit
from ..evaluation.scores import NAMES
from ..evaluation.task import Task
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, pending
from ..features.extractors import NetworkExtractor, make_extractor
from ..features.openvino_engine import converted_network
from ..features.simple_measurements import SimpleMeasurements, columns
from ..machine import Progress
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..serving.container import check_target, write_bundle
from ..serving.served_network import ServedNetwork, moved
from ..steps.choose_methods import fit_rules, make_methods
from ..steps.score_shortcuts import MAJORITY, shortcuts
from ..steps.write_pixels import PIXELS
from ..storage import digest, file_digest, lock
from .bundle_parts import Parts, checked_rows, make
from .fit_network import FittedCombination, chosen_network, fit_network
from .run_facts import out_of_fold, run_facts

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_AGREE = {"float32": 1e-3, "bfloat16": 5e-2}
_LOOKED_AT = 8
_PICTURE = 160


@dataclass(frozen=True)
class Fitted:
    """A bundle that was made: where it lies, its digest, and its combination in words."""

    path: Path
    digest: str
    title: str
    manifest: Mapping[str, Any]


def fit(
    run: str | Path,
    combination: Sequence[str] | None = None,
    out: str | Path | None = None,
    pictures: bool = False,
    workers: int | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Fit one combination of a run on all its images, and write a bundle.

    Images of a sealed holdout stay sealed: they are not fitted.

    Parameters
    ----------
    run : path-like
        Folder of a finished run, or an experiment file, which is then run first (and not again where it was finished).
    combination : (str, str, str), optional
        Extractor, selector and classifier as the leaderboard names them; the winner by default.
    out : path-like, optional
        Folder, or zip by its ending; ``<run>/model`` by default.
    pictures : bool
        Keep a small picture of each training image, to be shown as an example beside new ones.
    workers : int, optional
        Cores; all by default.
    progress : Progress

    Returns
    -------
    Fitted

    Raises
    ------
    ConfigurationError
        The run is not finished, or has no such combination.
    BundleError
        The combination cannot be stored without pickle or Keras.
    ImagesError
        Images have changed since the run, and their features are not cached.
    TrainingError
        A network that is trained end to end could not be trained on all images.
    """
    folder = _folder(Path(run).expanduser(), workers, progress)
    workspace = Workspace.of(folder, workers, progress)
    target = Path(out).expanduser().resolve() if out else folder.path / "model"
    check_target(target)
    with lock(folder.lock, f"working in {run}"), log_to(folder.log), _explained(folder):
        row, experiment, answer = _chosen(folder, combination)
        folder.begin_features()
        try:
            parts = _parts(row, experiment, answer, workspace, pictures)
            manifest, files = make(parts)
        finally:
            folder.end_features()
        made = write_bundle(target, manifest, files)
    title = " x ".join(str(row[name]) for name in NAMES)
    _log.info("Fitted %s on %s images.", title, f"{len(parts.labels):,}")
    return Fitted(target, made, title, manifest)


def _folder(run: Path, workers: int | None, progress: Progress) -> RunFolder:
    if run.suffix.lower() not in (".yaml", ".yml"):
        if not RunFolder(run).was_finished():
            raise ConfigurationError(
                f"There is no finished run in {run}.",
                expected="a folder below results/, of a run that ended",
                received="a folder of no finished run" if run.is_dir() else "no such folder",
                fix="`leukobench run` first; then `leukobench fit` with its folder.",
            )
        return RunFolder(run)
    return RunFolder(pipeline.run(read_experiment(run), workers, progress).folder)


@contextlib.contextmanager
def _explained(folder: RunFolder) -> Iterator[None]:
    """Tell what a run that lacks something can do."""
    try:
        yield
    except (KeyError, FileNotFoundError) as error:
        raise ConfigurationError(
            f"The run in {folder.path} lacks what a bundle needs: an older version made it, or it was damaged.",
            received=f"no {error}",
            fix="run its experiment again: what is finished is not computed anew.",
        ) from error


def _chosen(folder: RunFolder, combination: Sequence[str] | None) -> tuple[dict[str, Any], Experiment, dict[str, Any]]:
    """Row of the leaderboard, the experiment and its answer."""
    import pandas as pd

    answer = folder.read_json("answer.json")
    if answer["chance"]:
        raise ConfigurationError("The labels of this run were permuted: there is nothing to fit.")
    table = pd.read_csv(folder.leaderboard)
    table = table[(table["kind"] == "combination") & (table["status"] == "ok")]
    best = answer["best"] or {}
    wanted = tuple(combination) if combination else tuple(best.get(name, "") for name in NAMES)
    rows = [row for row in table.to_dict("records") if tuple(row[name] for name in NAMES) == wanted]
    if not rows:
        known = [" ".join(f"'{row[name]}'" for name in NAMES) for row in table.to_dict("records")]
        raise ConfigurationError(
            f"The run has no scored combination {' x '.join(wanted)}.",
            expected="; ".join(known[:5]) + ("; ..." if len(known) > 5 else ""),
            received=" ".join(f"'{name}'" for name in wanted),
            fix="take names from leaderboard.csv.",
        )
    return {str(key): value for key, value in rows[0].items()}, read_experiment(folder.path / "experiment.yaml"), answer


def _parts(
    row: dict[str, Any], experiment: Experiment, answer: dict[str, Any], workspace: Workspace, pictures: bool
) -> Parts:
    import pandas as pd

    folder = workspace.folder
    images = pd.read_parquet(folder.path / "images.parquet")
    ids = images["image_id"].tolist()
    task = Task.of_images(images)
    if row["extractor"] == PIXELS:
        method = chosen_network(experiment, row["classifier"])
        made = fit_network(method, experiment, images, task, workspace)
    else:
        made = _on_features(experiment, row, images, task, workspace)
    with made.network.open(workspace.workers) as engine:
        pattern = next(iter(engine.vectors(iter([made.network.pattern()]))))
    checked, fitted = checked_rows(len(task)), made.fitted
    return Parts(
        made.network,
        pattern,
        made.features,
        task.labels,
        task.groups,
        ids,
        task.classes,
        fitted.selector,
        fitted.classifier,
        fitted.probabilities(made.features[checked], len(task.classes)),
        out_of_fold(folder, row, task),
        _shortcuts(experiment, images, task, workspace),
        _pictures(images, workspace) if pictures else [],
        run_facts(folder, row, experiment, answer, task) | {"tuned": fitted.tuned} | made.facts,
    )


def _on_features(
    experiment: Experiment, row: Mapping[str, Any], images: pd.DataFrame, task: Task, workspace: Workspace
) -> FittedCombination:
    """A selector and a classifier, fitted to the features of a frozen network."""
    extractor, network = _network(workspace.folder, experiment, row)
    features = _matrix("features", "fit", extractor, images, workspace)
    selector, classifier = (
        next(method for method in methods if method.label == row[name])
        for name, methods in zip(NAMES[1:], make_methods(experiment), strict=True)
    )
    with workspace.progress("fitting on all images", 1) as advance:
        fitted = refit(features, task, selector, classifier, fit_rules(experiment))
        advance(1)
    agreement = _agreement(network, images, features, workspace.workers)
    return FittedCombination(network, features, fitted, {"agreement": agreement, "extractor": _described(extractor)})


def _network(
    folder: RunFolder, experiment: Experiment, row: Mapping[str, Any]
) -> tuple[NetworkExtractor, ServedNetwork]:
    """The extractor of the combination, and its network as the bundle will run it."""
    choice = next(choice for choice in experiment.extractors if choice.label == row["extractor"])
    extractor = make_extractor(choice.name, choice.parameters)
    if not isinstance(extractor, NetworkExtractor):
        raise BundleError(
            f"The extractor {choice.label} is code of your own, which a bundle cannot hold.",
            expected="a network of `leukobench list extractors`",
            received=choice.label,
            fix="name another combination of the leaderboard: `--combination EXTRACTOR SELECTOR CLASSIFIER`.",
        )
    if digest(folder.resolved()["extractors"][choice.label]) != digest(dict(extractor.identity)):
        raise ConfigurationError(
            f"{choice.label} is another one now than in the run: its weights, its engine or leukobench have changed.",
            fix="run the experiment again: only what has changed is computed.",
        )
    spec = extractor.network
    files = converted_network(spec, extractor.weights, [extractor.pooling])
    served = ServedNetwork(spec.input_size, spec.interpolation, extractor.precision, extractor.orientations, files)
    return extractor, served


def _matrix(title: str, name: str, extractor: Any, images: pd.DataFrame, workspace: Workspace) -> NDArray[np.float32]:
    """Features of all images, from the cache where they are there."""
    cache, target = FeatureCache.shared(extractor.identity), workspace.folder.matrix(name)
    files = list(zip(images["image_id"], images["path"], strict=True))
    with workspace.progress(f"extracting {title}", len(pending(files, cache))) as advance:
        unreadable = extract_to(target, extractor, files, cache, workspace.workers, advance)
    if unreadable:
        raise ImagesChangedError(unreadable)
    return np.asarray(np.load(target, mmap_mode="r"))


def _agreement(
    network: ServedNetwork, images: pd.DataFrame, features: NDArray[np.float32], workers: int
) -> dict[str, Any]:
    """How far the bundle's network is from the run's features, on a few training images that are still there."""
    rows = np.unique(np.linspace(0, len(images) - 1, _LOOKED_AT).astype(int))
    found = {}
    for position in rows:
        path = Path(images["path"].iloc[position])
        if path.is_file() and file_digest(path) == images["image_id"].iloc[position]:
            found[position] = network.read(path.read_bytes())
    with network.open(workers) as engine:
        vectors = list(engine.vectors(iter(found.values())))
    apart = [moved(new, features[position]) for new, position in zip(vectors, found, strict=True)]
    largest, limit = max(apart, default=0.0), _AGREE[network.precision]
    if not largest <= limit:
        raise BundleError(
            "The bundle's network gives other vectors than the run's features.",
            expected=f"at most {limit:g} (relative)",
            received=f"{largest:.2g}",
            fix="run the experiment again on this machine, then fit.",
        )
    return {"images": len(apart), "largest": largest}


def _shortcuts(
    experiment: Experiment, images: pd.DataFrame, task: Task, workspace: Workspace
) -> dict[str, tuple[str, list[str], Any, Any]]:
    """What file facts, colours and border alone say, fitted on all images."""
    measurements = _matrix("file facts and colours", "measurements", SimpleMeasurements(), images, workspace)
    names = FeatureCache.shared(SimpleMeasurements.identity).feature_names()
    fitted = {}
    for shortcut in shortcuts(experiment.evaluation, len(images)):
        if shortcut.name != MAJORITY:
            own = columns(names, shortcut.prefix)
            model = refit(measurements[:, own], task, shortcut.selector, shortcut.classifier, fit_rules(experiment))
            named = [names[position] for position in own]
            fitted[shortcut.name] = (shortcut.prefix, named, model.selector, model.classifier)
    return fitted


def _pictures(images: pd.DataFrame, workspace: Workspace) -> list[bytes]:
    from PIL import Image

    from ..images.reading import read_image

    made = []
    with workspace.progress("keeping pictures", len(images)) as advance:
        for path in images["path"]:
            try:
                picture = Image.fromarray(read_image(path))
            except UnreadableImageError as error:
                raise ImagesError(
                    "A training image is not there for its picture.", received=f"{path}: {error.what}"
                ) from error
            picture.thumbnail((_PICTURE, _PICTURE))
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=85)
            made.append(stream.getvalue())
            advance(1)
    return made


def _described(extractor: NetworkExtractor) -> dict[str, Any]:
    words = {"description": extractor.description, "weights": f"SHA-256 {extractor.weights.digest}"}
    return {"identity": dict(extractor.identity), **words}
