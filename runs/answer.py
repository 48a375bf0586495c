"""``answer.json``, typed: the best combination, how many are as good, shortcuts, groups, copies, chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import ConfigurationError
from .budget_answer import Budget
from .control_answer import Control
from .label_answer import Failures, LabelSuspects
from .site_answer import Sites
from .split_answer import GivenTest
from .stored import Stored, plain
from .view_answer import Views

SCHEMA = 2
"""Version of ``answer.json``; whoever changes or removes a key raises it."""


@dataclass(frozen=True)
class Winner(Stored):
    """The best combination. A number that is not defined is None.

    Attributes
    ----------
    extractor, selector, classifier : str
    metric : str
        That ranks the leaderboard.
    value, low, high : float
        With its 95 % interval.
    corrected, corrected_low, corrected_high : float
        The same, corrected for selecting the best of `picked_among`.
    dropped : int
        Resamples that the correction does without, since a class is missing from their test part.
    picked_among : int
    tied : int
        How many share the value, this one counted.
    rank_agreement : float
        Kendall's W of the ranks in the repeats.
    """

    extractor: str
    selector: str
    classifier: str
    metric: str
    value: float
    low: float | None
    high: float | None
    corrected: float | None
    corrected_low: float | None
    corrected_high: float | None
    dropped: int
    picked_among: int
    tied: int
    rank_agreement: float | None

    @property
    def names(self) -> tuple[str, str, str]:
        """Extractor, selector, classifier."""
        return self.extractor, self.selector, self.classifier


@dataclass(frozen=True)
class Algorithms(Stored):
    """How many others differ from the best as algorithms, trained on other images, by tests over repeats of the folds.

    Attributes
    ----------
    different : int
        By the corrected resampled t-test, Holm, 5 %.
    equivalent : int
        With a probability of at least 95 % within one point (Bayesian correlated t-test).
    compared, repeats, folds : int
    """

    different: int
    equivalent: int
    compared: int
    repeats: int
    folds: int


@dataclass(frozen=True)
class ShortcutVerdict(Stored):
    """What the strongest shortcut reaches, and whether the best combination beats it.

    Attributes
    ----------
    name : str
    value, low, high : float
        Of the ranking metric, with its 95 % interval; None where that is not defined.
    failed : int
        Shortcuts without a score.
    verdict : str
        Of the best combination: a name of `leukobench.reporting.verdicts.VERDICTS`.
    share : float
        Of the way from guessing to the best combination.
    words : str
    share_low, share_high : float
        95 % interval of the share; None where that is not defined.
    errors : float
        Errors of the best combination for one of the shortcut's; None where the shortcut makes none.
    tried : tuple of str
        Names of all shortcuts that were scored.
    alone, alone_value : str, float
        Where this is all shortcuts together: the strongest single one; else '' and None.
    wrong : int
        Images on which the shortcut is wrong.
    right, right_low, right_high : float
        Share of them on which the best combination is right, with its 95 % interval; None where there are none.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    failed: int
    verdict: str
    share: float
    words: str
    share_low: float | None = None
    share_high: float | None = None
    errors: float | None = None
    tried: tuple[str, ...] = ()
    alone: str = ""
    alone_value: float | None = None
    wrong: int = 0
    right: float | None = None
    right_low: float | None = None
    right_high: float | None = None


@dataclass(frozen=True)
class Groups(Stored):
    """Where the groups come from: `kind` is ``"patients"``, ``"partly"``, ``"none"`` or ``"pseudo"``."""

    kind: str
    words: str


@dataclass(frozen=True)
class Duplicates(Stored):
    """Copies among the images, and the rest of the audit in words; see `leukobench.audit.summary.summarise`."""

    identical_files: int
    identical_pixels: int
    near_duplicates: int
    clusters: int
    label_conflicts: int
    words: str
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    looks_alike: int = 0
    setting: str = "group"
    left_out: int = 0

    @property
    def pairs(self) -> int:
        """Of copies, of every kind."""
        return self.identical_files + self.identical_pixels + self.near_duplicates


@dataclass(frozen=True)
class Chance(Stored):
    """Whether permuted labels came out at chance; see `leukobench.evaluation.chance.chance_verdict`.

    A number that is not defined, because nothing was scored, is None.
    """

    at_chance: bool
    expected: float
    permutations: int
    combinations: int
    highest: float | None
    name: str
    p: float | None
    smallest_leak: float | None
    words: str


@dataclass(frozen=True)
class Answer:
    """What ``answer.json`` holds.

    Attributes
    ----------
    name : str
        Of the run.
    time : str
        When it was answered, in UTC, such as ``"2026-01-31T12:00:00+00:00"``.
    sentences, protocol : tuple of str
        The answer in words; the lines on images, groups, folds and weights that every number comes from.
    best : Winner, optional
        None where every combination failed.
    best_set : int
        With 95 % confidence the best fitted model is among so many, which the leaderboard marks; 0 without a best.
    algorithms : Algorithms, optional
        None with too few repeats.
    shortcut : ShortcutVerdict, optional
    groups : Groups
    duplicates : Duplicates
    chance : Chance, optional
        None unless the labels were permuted.
    views : Views, optional
        None where no views were asked for.
    suspects : LabelSuspects, optional
    failures : Failures, optional
        None where labels were permuted, or nothing was scored.
    sites : Sites, optional
        Where sites were left out of training.
    controls : tuple of Control
        That were scored, strongest first.
    test : GivenTest, optional
        None without a given test part.
    budget : Budget, optional
        None where everything was reached.
    """

    name: str
    time: str
    sentences: tuple[str, ...]
    protocol: tuple[str, ...]
    best: Winner | None
    best_set: int
    algorithms: Algorithms | None
    shortcut: ShortcutVerdict | None
    groups: Groups
    duplicates: Duplicates
    chance: Chance | None
    views: Views | None = None
    suspects: LabelSuspects | None = None
    failures: Failures | None = None
    sites: Sites | None = None
    controls: tuple[Control, ...] = ()
    test: GivenTest | None = None
    budget: Budget | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Answer:
        """From a JSON object.

        Raises
        ------
        ConfigurationError
            Another version of leukobench wrote it.
        KeyError, TypeError, AttributeError
            It is none.
        """
        schema = stored.get("schema", 0)
        if schema != SCHEMA:
            raise ConfigurationError(
                f"The run was written by {'an older' if schema < SCHEMA else 'a newer'} version of leukobench.",
                expected=f"answer.json with schema {SCHEMA}",
                received=f"schema {schema}" if schema else "no schema",
                fix="run the experiment again: finished work is kept." if schema < SCHEMA else "update leukobench.",
            )
        parts: dict[str, type[Stored]] = {
            "best": Winner, "algorithms": Algorithms, "shortcut": ShortcutVerdict, "groups": Groups,
            "duplicates": Duplicates, "chance": Chance, "views": Views, "suspects": LabelSuspects, "failures": Failures,
            "test": GivenTest, "sites": Sites, "budget": Budget,
        }  # fmt: skip
        optional = (*parts.keys() - {"groups", "duplicates"},)
        typed = {
            name: None if name in optional and stored.get(name) is None else part.from_json(stored[name])
            for name, part in parts.items()
        }
        controls = tuple(map(Control.from_json, stored.get("controls", ())))
        single = [field.name for field in fields(cls) if field.name not in (*parts, "controls")]
        rest = {name: plain(stored[name]) for name in single}
        return cls(**rest, **typed, controls=controls)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return {"schema": SCHEMA, **asdict(self)}
