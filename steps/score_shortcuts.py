"""Score shortcuts: baselines that see nothing of what is pictured, on the same folds as everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..classifiers import CLASSIFIERS
from ..classifiers.large_data import needs_variants, variant_of
from ..config.choice import Choice
from ..config.experiment import Evaluation
from ..evaluation.combination_names import CONTENT, SHORTCUT, TOGETHER
from ..evaluation.grid import Combination, FeatureSource
from ..evaluation.methods import Method, make_method
from ..features.simple_measurements import SimpleMeasurements, columns
from ..runs.folder import RunFolder
from ..selection import SELECTORS
from ..storage import digest, storage_errors
from .audit_index import Audited
from .find_sites import sites_of

MAJORITY, BACKGROUND = "majority class", "background"
_FOLLOW_CONTENT = ("file.bytes", "file.bytes per pixel", "file.metadata")
"""File facts that follow what is pictured; metadata may hold a thumbnail."""
_OF_SITES = "logistic_regression"
_CREDIBLE = 0.9
"""Share of images that show a background at least; else the row of the background is left out."""
_SCALED = {"scale": True}
_ROWS: tuple[tuple[str, str, tuple[str, ...], str, dict[str, Any]], ...] = (
    ("shortcut", MAJORITY, ("border",), "sklearn.dummy.DummyClassifier", {}),
    ("shortcut", "file facts", ("file",), "random_forest", {}),
    ("shortcut", "border", ("border",), "random_forest", {}),
    ("shortcut", BACKGROUND, ("background",), "svm_rbf", _SCALED),
    ("shortcut", "sharpness and noise", ("sharpness",), "svm_rbf", _SCALED),
    ("shortcut", TOGETHER, ("file", "border", "background", "sharpness"), "random_forest", {}),
    ("content", "whole-image colour", ("colour",), "svm_rbf", _SCALED),
    ("content", "file bytes", _FOLLOW_CONTENT, "random_forest", {}),
)
"""Kind, name, beginnings of columns of the measurements, classifier and its parameters. Of many columns, most of which
say nothing, a forest loses less than a support vector machine."""
_AS_IT_IS = "sklearn.preprocessing.FunctionTransformer"
"""Selector of these rows: facts that are equal for all files predict nothing, which is a result, not an error."""


@dataclass(frozen=True)
class Baseline:
    """A row that is no candidate.

    Attributes
    ----------
    kind : {"shortcut", "content"}
        A shortcut sees nothing of what is pictured; a content row does, and takes part in no verdict.
    name : str
    parts : sequence of str
        How the names of its columns of the measurements begin.
    selector, classifier : Method
    """

    kind: str
    name: str
    parts: Sequence[str]
    selector: Method
    classifier: Method

    def columns(self, names: Sequence[str]) -> list[int]:
        """Positions of its columns among all columns of the measurements."""
        own = sorted({position for part in self.parts for position in _columns(names, part)})
        return [place for place in own if self.kind == "content" or names[place] not in _FOLLOW_CONTENT]


def _columns(names: Sequence[str], part: str) -> list[int]:
    return [names.index(part)] if part in names else columns(names, part)


def shortcut_baselines(audited: Audited, folder: RunFolder, evaluation: Evaluation) -> list[Combination]:
    """Shortcuts and content rows, as rows of the leaderboard."""
    identity = digest(dict(SimpleMeasurements.identity))
    rows = []
    for one in baselines(evaluation, len(audited.index), shows_background(audited.measurements, audited.names)):
        target = folder.matrix(f"{one.kind}-{one.name.replace(' ', '-')}")
        with storage_errors(target):
            np.save(target, audited.measurements[:, one.columns(audited.names)])
        label = f"{SHORTCUT if one.kind == 'shortcut' else CONTENT}{one.name}"
        source = FeatureSource(label, target, digest([identity, one.kind, *one.parts]))
        rows.append(Combination(source, one.selector, one.classifier, one.kind))
    return [*rows, *_site_baseline(audited, folder, evaluation)]


def _site_baseline(audited: Audited, folder: RunFolder, evaluation: Evaluation) -> list[Combination]:
    """What the site alone says of the class, where sites are left out."""
    if (sites := sites_of(audited.index, evaluation)) is None:
        return []
    names, codes = np.unique(sites, return_inverse=True)
    target = folder.matrix("shortcut-site")
    np.save(target, np.eye(len(names), dtype=np.float32)[codes])
    source = FeatureSource(f"{SHORTCUT}{evaluation.leave_out}", target, digest(["sites", sites]))
    weighted = evaluation.balance == "class_weight"
    selector = make_method(SELECTORS, _AS_IT_IS, {}, "none", evaluation.seed)
    return [
        Combination(
            source, selector, make_method(CLASSIFIERS, _OF_SITES, {}, _OF_SITES, evaluation.seed, weighted), "shortcut"
        )
    ]


def baselines(evaluation: Evaluation, images: int, background: bool = True) -> Iterator[Baseline]:
    """Every shortcut and content row, with classifiers suited to the number of images.

    Parameters
    ----------
    evaluation : Evaluation
    images : int
    background : bool
        Whether the images show a background.
    """
    seed, weighted = evaluation.seed, evaluation.balance == "class_weight"
    selector = make_method(SELECTORS, _AS_IT_IS, {}, "none", seed)
    large = needs_variants(evaluation.large_data, images)
    for kind, name, parts, usual, parameters in _ROWS:
        if not background and name == BACKGROUND:
            continue
        seen = tuple(part for part in parts if background or part != "background")
        classifier = variant_of(usual) if large else usual
        shipped = CLASSIFIERS.ships(classifier)
        label = Choice(name=classifier, parameters=parameters).label if shipped else name
        method = make_method(CLASSIFIERS, classifier, parameters, label, seed, weighted and shipped)
        yield Baseline(kind, name, seen, selector, method)


def shows_background(measurements: np.ndarray, names: Sequence[str]) -> bool:
    """Whether nearly all images show a credible background."""
    return bool(_shown(measurements, names) >= _CREDIBLE)


def background_line(measurements: np.ndarray, names: Sequence[str]) -> str:
    """A line of the protocol where the row of the background is left out; '' where it is not."""
    shown = _shown(measurements, names)
    if shown >= _CREDIBLE:
        return ""
    return (
        f"no row for the background: {shown:.0%} of the images show a credible one, so its colour and light are unknown"
    )


def _shown(measurements: np.ndarray, names: Sequence[str]) -> float:
    return float((measurements[:, columns(names, "credible")] > 0).mean())
