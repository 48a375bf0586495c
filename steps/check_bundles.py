"""What a bundle could not hold of a run's combinations, or only name: said before the grid, not after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.choice import Choice
from ..config.experiment import Experiment
from ..errors import BundleError
from ..evaluation.methods import Method
from ..features.embedding_table import EmbeddingTable
from ..features.extractor import Convertible, Extractor
from ..registry import Registry
from ..selection import SELECTORS
from ..serving.stored_estimators import store


def bundle_lines(
    experiment: Experiment, extractors: Mapping[str, Extractor], methods: tuple[Sequence[Method], Sequence[Method]]
) -> list[str]:
    """A line for each choice that a bundle cannot hold, and for each module that one can only name.

    Selectors and classifiers that leukobench does not ship are stored unfitted for it: nothing of their code runs. What
    a fit of somebody's own code keeps, and whether that can be stored, is seen when the bundle is made.
    """
    lines = [line for label, extractor in extractors.items() for line in _of_extractor(label, extractor)]
    for registry, choices, family in (
        (SELECTORS, experiment.selectors, methods[0]),
        (CLASSIFIERS, experiment.classifiers, methods[1]),
    ):
        lines += _of_methods(registry, choices, family)
    own = [choice.label for choice in experiment.cnns if not CNNS.ships(choice.name)]
    return lines + [f"No bundle can hold the network {label}: it is code of your own" for label in own]


def _of_extractor(label: str, extractor: Extractor) -> Iterator[str]:
    if isinstance(extractor, EmbeddingTable):
        yield f"No bundle can hold {label}: a table has no vectors of new images"
    elif not isinstance(extractor, Convertible):
        yield _named(label, "its module")


def _named(label: str, module: str) -> str:
    return f"A bundle of {label} will name {module}, not contain it: predict will need it, and --allow-code"


def _of_methods(registry: Registry, choices: Sequence[Choice], methods: Sequence[Method]) -> Iterator[str]:
    from sklearn.base import clone

    for choice, method in zip(choices, methods, strict=True):
        if registry.ships(choice.name):
            continue
        try:
            modules = store(clone(method.estimator), registry.family).modules
        except BundleError as error:
            yield f"No bundle can hold {method.label}: {error.received}"
        else:
            if modules:
                yield _named(method.label, f"the module {', '.join(sorted(modules))}")
