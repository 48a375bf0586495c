"""The experiment: everything that decides the numbers of one run. Names are resolved later, by the steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ..evaluation.metrics import RANK_BY, ranking_metrics
from .choice import Choice, Strict

Balance = Literal["none", "class_weight", "oversample", "smote"]


class PseudoPatients(Strict):
    """A stress test where patients are unknown: groups made from what tends to go together. Exactly one is given.

    Attributes
    ----------
    blocks : int
        So many consecutive file numbers of a class are one group.
    stain : int
        So many clusters of colour a class are its groups.
    """

    blocks: int | None = Field(default=None, ge=2)
    stain: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _one(self) -> PseudoPatients:
        if (self.blocks is None) == (self.stain is None):
            raise ValueError("say either blocks: N or stain: N")
        return self


class Images(Strict):
    """Where the images lie and how their paths tell label and patient."""

    folder: Path
    layout: str = "auto"
    group: str | None = None
    pseudo_patients: PseudoPatients | None = None

    @field_validator("group")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value


class Evaluation(Strict):
    """The protocol: how images are split, balanced, calibrated, tuned and ranked.

    Attributes
    ----------
    folds, repeats, seed : int
        Stratified folds over groups; each repeat splits anew.
    shuffle : bool
        False keeps the order of the images, as some published protocols do.
    balance : {"none", "class_weight", "oversample", "smote"}
        Inside each training fold.
    calibration : {"as_needed", "sigmoid", "isotonic", "temperature"}
        How probabilities are made, on grouped inner folds. By default only classifiers without probabilities get them,
        by a sigmoid.
    tuning : {"none", "grid", "optuna"}
        Search of parameters nested inside each training fold; `budget` is the most candidates that optuna tries.
    holdout : float
        Part of the groups that is sealed: no fold sees it until ``leukobench unseal`` opens it, once.
    permute : bool
        Labels are permuted among the groups: every score has to come out at chance.
    rank_by : str
        Metric of the leaderboard's order, one of those that `leukobench list metrics` says rank.
    large_data : {"variants", "exact", "always"}
        Beyond 20,000 images, support vector machines give way to variants whose cost grows with the number of images
        rather than its square; never, or whatever the number of images.
    resamples : int
        Of the groups, for intervals and for the winner's correction.
    """

    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    shuffle: bool = True
    balance: Balance = "none"
    calibration: Literal["as_needed", "sigmoid", "isotonic", "temperature"] = "as_needed"
    tuning: Literal["none", "grid", "optuna"] = "none"
    budget: int = Field(default=30, ge=1)
    holdout: float = Field(default=0.0, ge=0.0, le=0.5)
    permute: bool = False
    rank_by: str = RANK_BY
    large_data: Literal["variants", "exact", "always"] = "variants"
    resamples: int = Field(default=1000, ge=100)

    @field_validator("rank_by")
    @classmethod
    def _ranks(cls, value: str) -> str:
        if value != RANK_BY and value not in (ranking := ranking_metrics()):
            raise ValueError(f"no metric that ranks; those are {', '.join(ranking)}")
        return value

    @model_validator(mode="after")
    def _repeats_differ(self) -> Evaluation:
        if not self.shuffle and self.repeats > 1:
            raise ValueError("shuffle: false splits the same way each time, so repeats must be 1")
        return self


def _choices(*names: Any, least: int = 1) -> Any:
    return Field(default_factory=lambda: [Choice.model_validate(name) for name in names], min_length=least)


class Experiment(Strict):
    """Everything that decides the numbers of one run; see ``quickstart.yaml`` for an example.

    Attributes
    ----------
    name : str
        The run lands in ``<results>/<name>/``.
    images : Images
    extractors, selectors, classifiers : list of Choice
        Every extractor meets every selector and every classifier.
    cnns : list of Choice
        Networks that are trained end to end, beside them. With these alone, `extractors` may be an empty list.
    evaluation : Evaluation
    results : Path
        Folder of all runs; not part of what decides the numbers.
    """

    name: str = Field(pattern=r"^[\w][\w.\- ]*$")
    images: Images
    extractors: list[Choice] = _choices(
        "efficientnet_lite0", {"efficientnet_lite0": {"pooling": "multilevel"}}, least=0
    )
    selectors: list[Choice] = _choices("none", "anova", "rfe", "lasso", "forest", "pca")
    classifiers: list[Choice] = _choices(
        "svm_linear", "svm_rbf", "random_forest", "xgboost", "naive_bayes", "knn", "logistic_regression", "lda"
    )
    cnns: list[Choice] = Field(default_factory=list)
    evaluation: Evaluation = Evaluation()
    results: Path = Path("results")

    @field_validator("extractors", "selectors", "classifiers", "cnns")
    @classmethod
    def _no_twins(cls, value: list[Choice]) -> list[Choice]:
        labels = [choice.label for choice in value]
        twins = sorted({label for label in labels if labels.count(label) > 1})
        if twins:
            raise ValueError(f"listed twice: {', '.join(twins)}")
        return value

    @field_validator("extractors", "cnns")
    @classmethod
    def _nothing_searched(cls, value: list[Choice]) -> list[Choice]:
        searched = [choice.label for choice in value if choice.searched]
        if searched:
            raise ValueError(f"only selectors and classifiers are tuned, not {searched[0]}: list each one")
        return value

    @model_validator(mode="after")
    def _something_to_run(self) -> Experiment:
        if not self.extractors and not self.cnns:
            raise ValueError("name at least one extractor, or one of the cnns")
        return self

    @property
    def folder(self) -> Path:
        """Where this run's files lie."""
        return self.results / self.name

    def permuted(self) -> Experiment:
        """The same experiment with permuted labels, under a name that says so."""
        evaluation = self.evaluation.model_copy(update={"permute": True})
        return self.model_copy(update={"name": f"{self.name}-permuted", "evaluation": evaluation})

    def to_mapping(self) -> dict[str, Any]:
        """A JSON-like mapping in the form of an experiment file."""
        mapping = self.model_dump(mode="json") | {"results": str(self.results.absolute())}
        for family in ("extractors", "selectors", "classifiers", "cnns"):
            mapping[family] = [choice.short_form() for choice in getattr(self, family)]
        return mapping
