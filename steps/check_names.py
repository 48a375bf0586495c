"""Check names: every name of an experiment, and of its parameters, before anything is downloaded or read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.experiment import Experiment
from ..errors import CodeNotAllowedError, ConfigurationError, LeukobenchError
from ..evaluation.metrics import METRICS, ranking_metrics
from ..features.extractors import EXTRACTORS
from ..images.layouts import get_layout
from ..registry import Registry
from ..selection import SELECTORS

_REGISTRIES: dict[str, Registry] = {
    "extractors": EXTRACTORS,
    "selectors": SELECTORS,
    "classifiers": CLASSIFIERS,
    "cnns": CNNS,
}


def check_names(experiment: Experiment) -> None:
    """Refuse unknown names, all at once. Code of the user's own is imported for that where it is allowed.

    Raises
    ------
    LeukobenchError
        The mistake, such as a ConfigurationError; or all of them, a line each.
    CodeNotAllowedError
        There is code among them that is not allowed.
    """
    _check_all([*_methods(experiment, tuple(_REGISTRIES)), *_others(experiment)])


def check_methods(experiment: Experiment, extractors: Collection[str]) -> None:
    """The same of selectors, classifiers and some extractors, by their labels: of a run, what is fitted anew.

    Raises
    ------
    LeukobenchError, CodeNotAllowedError
        As `check_names` does.
    """
    chosen = [choice for choice in experiment.extractors if choice.label in extractors]
    families = "extractors", "selectors", "classifiers"
    _check_all(_methods(experiment.model_copy(update={"extractors": chosen}), families))


def _check_all(checks: Iterable[tuple[str, Callable[[], Any]]]) -> None:
    mistakes: dict[str, LeukobenchError] = {}
    for place, check in checks:
        try:
            check()
        except LeukobenchError as mistake:
            mistakes[place] = mistake
    if len(mistakes) == 1:
        raise next(iter(mistakes.values()))
    if mistakes:
        raise _together(mistakes)


def _methods(experiment: Experiment, families: Iterable[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    for family in families:
        for place, choice in enumerate(getattr(experiment, family)):
            yield f"{family}.{place}", partial(_REGISTRIES[family].check, choice.name, choice.parameters)


def _others(experiment: Experiment) -> Iterator[tuple[str, Callable[[], Any]]]:
    if experiment.images.layout != "auto":
        yield "images.layout", partial(get_layout, experiment.images.layout)
    yield "evaluation.rank_by", partial(_check_metric, experiment.evaluation.rank_by)


def _check_metric(name: str) -> None:
    METRICS.get(name)
    if name not in (ranking := ranking_metrics()):
        raise ConfigurationError(
            f"No combination can be ranked by {name}.",
            expected=", ".join(ranking),
            received=name,
            fix="choose one of these.",
        )


def _together(mistakes: dict[str, LeukobenchError]) -> ConfigurationError:
    places: dict[str, list[str]] = {}
    for place, mistake in mistakes.items():
        places.setdefault(f"{mistake.what} {_advice(mistake)}".strip(), []).append(place)
    lines = [f"{', '.join(where)}: {words}" for words, where in places.items()]
    refused = [mistake for mistake in mistakes.values() if isinstance(mistake, CodeNotAllowedError)]
    begin = "needs code of your own" if len(refused) == len(mistakes) else f"has {len(mistakes)} mistakes"
    what = f"The experiment {begin}:\n    " + "\n    ".join(lines)
    digests = dict.fromkeys(digest for mistake in refused for digest in mistake.digests)
    if not digests:
        return ConfigurationError(what)
    options = " ".join(f"--allow-code {digest}" for digest in digests)
    return CodeNotAllowedError(what, digests=tuple(digests), fix=f"to run the code, read it and add {options}.")


def _advice(mistake: LeukobenchError) -> str:
    """What helps, in the line of a mistake; where code lies rather than its digest, which comes once for all."""
    allowable = isinstance(mistake, CodeNotAllowedError) and mistake.digests
    return f"({mistake.expected.partition(',')[0]})" if allowable else mistake.fix
