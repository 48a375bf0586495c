"""Score controls: what a network that was never trained, and a few pixels, reach on the folds of everything else."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..classifiers import CLASSIFIERS
from ..classifiers.large_data import needs_variants, variant_of
from ..config.choice import Choice
from ..config.experiment import Evaluation
from ..errors import EngineError
from ..evaluation.grid import Combination, Grid
from ..evaluation.methods import Method, make_method
from ..evaluation.records import RecordStore
from ..evaluation.stored_predictions import best_names
from ..features.extractor import Extractor
from ..features.network_extractor import NetworkExtractor
from ..features.small_pixels import SmallPixels
from ..images.index import ImageIndex
from ..networks import get_network
from ..reporting.controls import CONTROL, RANDOM
from ..reporting.protocol import patients_of
from ..runs.workspace import Workspace
from ..selection import SELECTORS
from .extract_features import extract_features
from .fit_combinations import fit_combinations

PIXELS = f"{CONTROL}16 x 16 pixels"
_BUNDLED, _STAGES = "efficientnet_lite0", 2
"""Of a network that was never trained the first stages say most: further ones lower the score (decision 031)."""
_UNTRAINED = Choice(name="none"), "logistic_regression"
_OF_PIXELS = Choice(name="pca", parameters={"n_components": 50}), "svm_rbf"
_log = logging.getLogger(__name__)


def control_extractors(evaluation: Evaluation) -> dict[str, Extractor]:
    """Extractors of the controls that do not depend on the best combination, by their names on tables."""
    if evaluation.controls == "off" or evaluation.permute:
        return {}
    pixels: dict[str, Extractor] = {PIXELS: SmallPixels()}
    return pixels if evaluation.controls == "same" else pixels | _bundled()


def _bundled() -> dict[str, Extractor]:
    network = get_network(_BUNDLED)
    first = replace(network, stages=network.stages[:_STAGES])
    try:
        return {_name(f"{network.name}, {_STAGES} stages"): NetworkExtractor(first, "random", "multilevel")}
    except EngineError as error:
        _log.warning("No control without training: %s", error)
        return {}


def _name(network: str) -> str:
    return f"{CONTROL}{RANDOM}{network}"


def controls_line(grid: Grid) -> str:
    """A line of the protocol; '' without controls."""
    rows = [row.labels for row in grid.baselines if row.kind == "control"]
    words = [f"{names[0].removeprefix(CONTROL)} ({names[1]} x {names[2]})" for names in rows]
    return f"controls, which are no candidates: {', '.join(words)}" if words else ""


def control_baselines(
    extractors: Mapping[str, Extractor], evaluation: Evaluation, index: ImageIndex, workspace: Workspace
) -> list[Combination]:
    """Controls as rows of the leaderboard, which are no candidates.

    Raises
    ------
    ImagesChangedError
        Images changed, or became unreadable, since the audit measured them.
    """
    sources = extract_features(extractors, index, workspace)
    return [
        Combination(source, *control_methods(source.label, evaluation, len(index)), "control") for source in sources
    ]


def control_methods(label: str, evaluation: Evaluation, images: int) -> tuple[Method, Method]:
    """Selector and classifier of the control with this name, suited to the number of images."""
    reducing, deciding = _OF_PIXELS if label == PIXELS else _UNTRAINED
    if needs_variants(evaluation.large_data, images):
        deciding = variant_of(deciding)
    weighted = evaluation.balance == "class_weight"
    selector = make_method(SELECTORS, reducing.name, reducing.parameters, reducing.label, evaluation.seed)
    return selector, make_method(CLASSIFIERS, deciding, {}, deciding, evaluation.seed, weighted)


def fit_same_control(
    grid: Grid,
    store: RecordStore,
    extractors: Mapping[str, Extractor],
    evaluation: Evaluation,
    index: ImageIndex,
    workspace: Workspace,
) -> Grid:
    """The grid with a control more, fitted: the extractor of the best combination, with random weights.

    The bundled network stands for what has no weights, or is trained end to end.
    """
    best = best_names(grid, store, evaluation.rank_by, patients_of(index))
    own = extractors.get(best[0]) if best else None
    untrained = _bundled()
    if best and isinstance(own, NetworkExtractor):
        same = NetworkExtractor(own.network, "random", own.pooling, own.precision, own.engine, own.orientations)
        untrained = {_name(best[0]): same}
    rows: Sequence[Combination] = control_baselines(untrained, evaluation, index, workspace)
    fuller = replace(grid, baselines=[*grid.baselines, *rows])
    fit_combinations(fuller, workspace)
    return fuller
