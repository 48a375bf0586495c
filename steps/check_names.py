"""Check names: every name of an experiment, and of its parameters, before anything is downloaded or read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..classifiers import CLASSIFIERS
from ..classifiers.cnns import CNNS
from ..config.experiment import Experiment
from ..errors import CodeNotAllowedError, ConfigurationError
from ..evaluation.metrics import METRICS, ranking_metrics
from ..features.extractors import EXTRACTORS
from ..images.layouts import get_layout
from ..selection import SELECTORS

_REGISTRIES = {"extractors": EXTRACTORS, "selectors": SELECTORS, "classifiers": CLASSIFIERS, "cnns": CNNS}


def check_names(experiment: Experiment) -> None:
    """Refuse unknown names, all at once; code of the user's own is imported for it where it is allowed.

    Raises
    ------
    ConfigurationError
        The mistake; or all of them, a line each.
    CodeNotAllowedError
        There is code among them that is not allowed.
    """
    mistakes: dict[str, ConfigurationError] = {}
    for place, check in _checks(experiment):
        try:
            check()
        except ConfigurationError as mistake:
            mistakes[place] = mistake
    if len(mistakes) == 1:
        raise next(iter(mistakes.values()))
    if mistakes:
        raise _together(mistakes)


def _checks(experiment: Experiment) -> Iterator[tuple[str, Callable[[], Any]]]:
    for family, registry in _REGISTRIES.items():
        for place, choice in enumerate(getattr(experiment, family)):
            yield f"{family}.{place}", partial(registry.check, choice.name, choice.parameters)
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


def _together(mistakes: dict[str, ConfigurationError]) -> ConfigurationError:
    lines = [f"{place}: {mistake.what} {_advice(mistake)}".strip() for place, mistake in mistakes.items()]
    what = f"The experiment has {len(lines)} mistakes:\n    " + "\n    ".join(lines)
    refused = [mistake for mistake in mistakes.values() if isinstance(mistake, CodeNotAllowedError)]
    if not refused:
        return ConfigurationError(what)
    digests = dict.fromkeys(digest for mistake in refused for digest in mistake.digests)
    options = " ".join(f"--allow-code {digest}" for digest in digests)
    return CodeNotAllowedError(what, digests=tuple(digests), fix=f"to run the code, read it and add {options}.")


def _advice(mistake: ConfigurationError) -> str:
    """What helps, in the line of a mistake; where code lies rather than its digest, which comes once for all."""
    return f"({mistake.expected.partition(',')[0]})" if isinstance(mistake, CodeNotAllowedError) else mistake.fix
