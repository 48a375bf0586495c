"""The experiment: everything that decides the scores of one run. Names are resolved later, by the steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator, model_validator

from ..evaluation.metrics import RANK_BY
from ..remote.path import any_path, is_url
from ..storage import user_path
from .cell_limits import CellLimits
from .choice import Choice, Strict
from .execution import Execution
from .images import Images
from .run_name import RunName

GRID = ("extractors", "selectors", "classifiers")
"""Families of which every choice meets every choice of the others."""
CHOICES = (*GRID, "cnns")
"""Families that an experiment chooses from: its fields, and what ``leukobench list`` calls them."""
Balance = Literal["none", "class_weight", "oversample", "smote"]


class Evaluation(Strict):
    """The protocol: how images are split, balanced, calibrated, tuned and ranked.

    Attributes
    ----------
    folds : int
        Parts for cross-validation, stratified by class; images of one group are in one part.
    repeats : int
        How often folds are drawn anew, for scores that depend less on one draw.
    seed : int
        Of every random draw of the run: folds, classifiers, resamples.
    shuffle : bool
        False draws folds in the order of the images, as some published protocols do.
    balance : {"none", "class_weight", "oversample", "smote"}
        What is done about classes of unequal size, inside each training fold.
    calibration : {"as_needed", "sigmoid", "isotonic", "temperature"}
        How probabilities are calibrated, on grouped inner folds. By default only classifiers without probabilities are
        calibrated, by a sigmoid.
    tuning : {"none", "grid", "optuna"}
        Search of parameters, nested inside each training fold.
    budget : int
        The most candidates that optuna tries.
    holdout : float
        Part of the groups that is sealed: no fold sees it until ``leukobench unseal`` opens it, once.
    split : {"given", "ignore"}
        Keep a split that comes with the images, as folders, columns of the manifest or a known layout have it: folds
        lie inside the training part (given folds where there are some), the validation part is for tuning and early
        stopping, and every combination is scored on the test part once the winner is chosen. Else folds are drawn
        over all images.
    drop_leaks : bool
        Leave out of training what has a patient or a copy in the part that it is tested on.
    permute : bool
        Sanity check: labels are shuffled among the groups; scores must drop to chance.
    permutations : int
        How often `permute` shuffles the labels; with fewer than 5, no score could be called above chance.
    rank_by : str
        Metric that orders the leaderboard; `leukobench list metrics` shows which can.
    large_data : {"variants", "exact", "always"}
        Replace support vector machines by variants whose cost grows linearly with the number of images: above 20,000
        images, never, or always.
    resamples : int
        Bootstrap resamples of the groups, for intervals and the correction for selecting the best.
    views : {"winner", "all", "off"}
        Whether the best combination, or all, are fitted again on views of the images without colour, border, noise and
        so on: what the score needs. Not with permuted labels, nor with fewer than 100 images.
    view_images : int or "all"
        About how many images `views` takes; at least 100.
    view_margin : float
        What a view takes away is needed if the score drops by more than this share of the way from guessing to the
        score without a view.
    controls : {"bundled", "same", "off"}
        Rows that are no candidates: a few pixels, and the first stages of the bundled network with random weights; or
        the extractor of the best combination with random weights.
    leave_out : str
        Column of the images, such as ``site``, ``scanner`` or ``batch``, of which each value is left out of training in
        turn, for every combination, beside the ordinary folds: whether scores hold across sites.
    limits : CellLimits
        What one fit may take before it is stopped and its row fails; no limits by default.
    """

    folds: int = Field(default=5, ge=2, examples=[10])
    repeats: int = Field(default=1, ge=1, examples=[3])
    seed: int = Field(default=0, ge=0, lt=2**32, examples=[1])
    shuffle: bool = Field(default=True, examples=[False])
    balance: Balance = Field(default="none", examples=["smote"])
    calibration: Literal["as_needed", "sigmoid", "isotonic", "temperature"] = Field(
        default="as_needed", examples=["isotonic"]
    )
    tuning: Literal["none", "grid", "optuna"] = Field(default="none", examples=["optuna"])
    budget: int = Field(default=30, ge=1, examples=[20])
    holdout: float = Field(default=0.0, ge=0.0, le=0.5, examples=[0.2])
    split: Literal["given", "ignore"] = Field(default="ignore", examples=["given"])
    drop_leaks: bool = Field(default=False, examples=[True])
    permute: bool = Field(default=False, examples=[True])
    permutations: int = Field(default=19, ge=5, le=999, examples=[99])
    rank_by: str = Field(default=RANK_BY, examples=["auroc"])
    large_data: Literal["variants", "exact", "always"] = Field(default="variants", examples=["exact"])
    resamples: int = Field(default=1000, ge=100, examples=[5000])
    views: Literal["winner", "all", "off"] = Field(default="winner", examples=["all"])
    view_images: int | Literal["all"] = Field(default=500, examples=["all"])
    view_margin: float = Field(default=0.1, gt=0.0, lt=1.0, examples=[0.2])
    controls: Literal["bundled", "same", "off"] = Field(default="bundled", examples=["off"])
    leave_out: str | None = Field(default=None, min_length=1, examples=["scanner"])
    limits: CellLimits = CellLimits()

    @field_validator("views", "controls", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return "off" if value is False else value  # what YAML makes of an unquoted off

    @field_validator("view_images", mode="before")
    @classmethod
    def _enough(cls, value: Any) -> Any:
        if value != "all" and (not isinstance(value, int) or value < 100):
            raise ValueError("not a whole number of at least 100, nor all")
        return value

    @field_validator("rank_by")
    @classmethod
    def _ranks(cls, value: str) -> str:
        if value.startswith("test_"):
            raise ValueError("nothing is ranked by the test part: it is scored once the best combination is chosen")
        return value

    @model_validator(mode="after")
    def _repeats_differ(self) -> Evaluation:
        if not self.shuffle and self.repeats > 1:
            raise ValueError("shuffle: false splits the same way each time, so repeats must be 1")
        return self

    @model_validator(mode="after")
    def _one_test_part(self) -> Evaluation:
        if self.split == "given" and self.holdout:
            raise ValueError("split: given has a test part of its own, so holdout must be 0")
        if self.drop_leaks and self.split != "given":
            raise ValueError("drop_leaks is about a given split: it needs split: given")
        return self


def _choices(*names: Any, example: Any, least: int = 1) -> Any:
    default = [Choice.model_validate(name) for name in names]
    return Field(default_factory=default.copy, min_length=least, examples=[example])


class Experiment(Strict):
    """Everything that decides the numbers of one run; see ``quickstart.yaml`` for an example.

    Attributes
    ----------
    name : str
        Name of the run; its output goes to ``<results>/<name>/``.
    images : Images
        The images and what is known of them; a path alone is short for `folder`.
    preset : str
        Published protocol that gives the keys that are not set here; `leukobench list presets` shows them, and every
        run of one says how it differs from its source.
    extractors : list of Choice
        What turns images into vectors; each is combined with every selector and every classifier. A choice is a name,
        or a name with parameters.
    selectors : list of Choice
        What reduces the features.
    classifiers : list of Choice
        What decides. A parameter of a selector or classifier that is ``{search: [1, 10]}`` or
        ``{search: {low: 0.1, high: 10, log: true}}`` is tuned.
    cnns : list of Choice
        Networks that are trained end to end, in addition. If there are any, `extractors` may be empty.
    evaluation : Evaluation
        The protocol.
    plugins : list of Path
        Folders that are searched for code of your own, which names such as ``mymodule:MyExtractor`` lead to. It runs
        where you name this experiment, and elsewhere where you allow it; see `leukobench.plugins`.
    executor : Execution
        What computes the run; no effect on the scores.
    results : Path
        The folder of all runs; no effect on the scores.
    checkpoint : Path
        Where a run's folder is copied while it works, such as ``s3://bucket/runs``; no effect on the scores.
    """

    name: RunName = Field(examples=["my-run"])
    images: Images = Field(examples=["my-images"])
    preset: str | None = Field(default=None, examples=["cnns"])
    extractors: list[Choice] = _choices(
        "efficientnet_lite0",
        {"efficientnet_lite0": {"pooling": "multilevel"}},
        example=["mobilenetv2", {"efficientnet_lite0": {"pooling": "multilevel"}}, {"table": "conch.parquet"}],
        least=0,
    )
    selectors: list[Choice] = _choices(
        *("none", "anova", "rfe", "lasso", "forest", "pca"), example=["none", {"anova": {"n_features": 100}}]
    )
    classifiers: list[Choice] = _choices(
        *("svm_linear", "svm_rbf", "random_forest", "xgboost", "naive_bayes", "knn", "logistic_regression", "lda"),
        example=["lda", {"svm_rbf": {"C": 10}}, {"knn": {"n_neighbors": {"search": [3, 5, 9]}}}],
    )
    cnns: list[Choice] = Field(
        default_factory=list, examples=[["custom_cnn", {"transfer": {"network": "mobilenetv2"}}]]
    )
    evaluation: Evaluation = Evaluation()
    plugins: list[Path] = Field(default_factory=list, examples=[["my-code"]])
    executor: Execution = Execution()
    results: Path = Field(default=Path("results"), examples=["/data/runs"])
    checkpoint: Path | None = Field(default=None, examples=["s3://bucket/runs"])

    @field_validator("plugins")
    @classmethod
    def _from_here(cls, value: list[Path]) -> list[Path]:
        return [user_path(folder).absolute() for folder in value]

    @field_validator("results", mode="before")
    @classmethod
    def _on_this_machine(cls, value: Any) -> Any:
        if isinstance(value, (str, os.PathLike)) and is_url(value):
            raise ValueError("a run works in a folder of this machine; `checkpoint` copies it to such a path")
        return value

    @field_validator("checkpoint", mode="plain")
    @classmethod
    def _anywhere(cls, value: Any) -> Any:
        if value is None or isinstance(value, (str, os.PathLike)):
            return value and any_path(value).absolute()
        raise ValueError("not a path")

    @field_serializer("checkpoint", when_used="json")
    def _as_text(self, value: Path | None) -> str | None:
        return str(value) if value else None

    @field_validator(*CHOICES)
    @classmethod
    def _no_twins(cls, value: list[Choice]) -> list[Choice]:
        labels = [choice.label for choice in value]
        twins = sorted({label for label in labels if labels.count(label) > 1})
        if twins:
            files = any(choice.label in twins and "file" in choice.parameters for choice in value)
            also = "; files are called by their names, which have to differ" if files else ""
            raise ValueError(f"listed twice: {', '.join(twins)}{also}")
        return value

    @field_validator("extractors", "cnns")
    @classmethod
    def _refuse_search(cls, value: list[Choice]) -> list[Choice]:
        searched = [choice.label for choice in value if choice.searched]
        if searched:
            raise ValueError(f"only selectors and classifiers can be tuned, not {searched[0]}: list its variants")
        return value

    @model_validator(mode="after")
    def _something_to_run(self) -> Experiment:
        if not self.extractors and not self.cnns:
            raise ValueError("name at least one extractor, or one of the cnns")
        if self.images.pseudo_patients and self.evaluation.split == "given":
            raise ValueError("pseudo_patients would cross a given split: they need split: ignore")
        return self

    def __repr__(self) -> str:
        counts = " x ".join(f"{len(getattr(self, family))} {family}" for family in GRID)
        networks = f", {len(self.cnns)} networks trained end to end" if self.cnns else ""
        return f"Experiment({self.name!r}: {counts}{networks}; {self.images.folder}; {self.evaluation.folds} folds)"

    @property
    def folder(self) -> Path:
        """Folder of this run."""
        return self.results / self.name

    def with_permuted_labels(self, permutations: int | None = None) -> Experiment:
        """Return the experiment with permuted labels, its name ending in ``-permuted``."""
        count = permutations or self.evaluation.permutations
        evaluation = self.evaluation.model_copy(update={"permute": True, "permutations": count})
        return self.model_copy(update={"name": f"{self.name}-permuted", "evaluation": evaluation})

    def to_mapping(self) -> dict[str, Any]:
        """A JSON-like mapping in the form of an experiment file."""
        mapping = self.model_dump(mode="json") | {"results": str(self.results.absolute())}
        for family in ("extractors", "selectors", "classifiers", "cnns"):
            mapping[family] = [choice.short_form() for choice in getattr(self, family)]
        mapping["plugins"] = [str(folder.absolute()) for folder in self.plugins]
        unsaid = {
            "plugins": not self.plugins,
            "executor": self.executor == Execution(),
            "checkpoint": not self.checkpoint,
            "preset": not self.preset,
        }
        return {key: value for key, value in mapping.items() if not unsaid.get(key)}
