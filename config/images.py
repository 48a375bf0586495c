"""The section ``images`` of an experiment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator

from ..images.groups import compiled
from ..remote.path import any_path
from ..storage import user_path
from .choice import LONGEST_NAME, Strict
from .pseudo_patients import PseudoPatients

COPIES = ("group", "list", "off")
"""What can be done with copies, besides what a table of decisions says."""


class Images(Strict):
    """Folder of the images, how their paths assign labels and patients, and what is done with copies.

    Attributes
    ----------
    folder : Path
        Folder or manifest; also in an object store, such as ``s3://bucket/folder``.
    layout : str
        A name of `leukobench list layouts`, or the meaning of each level of folders, such as ``split/class``.
    group : str
        Regular expression on the path; its capture group is the patient. A group called ``site``, ``scanner`` or
        ``batch`` becomes a column of that name.
    exclude_classes : list of str
        Classes that are left out.
    exclude_files : list of str
        Patterns of paths that are left out, such as ``*_mask.png``.
    objects : str
        What the images show, in the plural, such as ``cells``: the word of the sentences.
    pseudo_patients : PseudoPatients
        Stress test where patients are unknown: groups guessed from file numbers or colour.
    copies : {"group", "list", "off"} or Path
        Copies share a group, are only reported, or are not looked for; or share a group as a table (CSV or parquet)
        decides, such as ``audit/copies.csv`` with the column ``decision`` filled in. Identical files always share one.
    label_conflicts : {"leave_out", "keep"}
        Copies of one image under several labels leave training and scores, with a line each in the ledger; or stay.
    corrections : Path
        Table (CSV or parquet) such as ``suspects.csv`` of a run, with the column ``corrected`` filled in: a label, or
        ``leave out``. Each correction has a line in the ledger.
    """

    folder: Path = Field(examples=["my-images"])
    layout: str = Field(default="auto", max_length=LONGEST_NAME, examples=["split/class"])
    group: str | None = Field(default=None, examples=[r"patient_(\d+)"])
    exclude_classes: list[str] = Field(default_factory=list, examples=[["artefacts"]])
    exclude_files: list[str] = Field(default_factory=list, examples=[["*_mask.png"]])
    objects: str = Field(default="objects", pattern=r"^\w[\w \-]*$", examples=["cells"])
    pseudo_patients: PseudoPatients | None = None
    copies: Literal["group", "list", "off"] | Path = Field(default="group", examples=["decided.csv"])
    label_conflicts: Literal["leave_out", "keep"] = Field(default="leave_out", examples=["keep"])
    corrections: Path | None = Field(default=None, examples=["corrected.csv"])

    @field_validator("folder", mode="plain")
    @classmethod
    def _anywhere(cls, value: Any) -> Any:
        if isinstance(value, (str, os.PathLike)):
            return any_path(value)
        raise ValueError("not a path")

    @field_serializer("folder", when_used="json")
    def _as_text(self, value: Path) -> str:
        return str(value)

    @field_validator("group")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                compiled(value)
            except ValueError as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("copies", mode="before")
    @classmethod
    def _names_or_table(cls, value: Any) -> Any:
        if value is False:  # what YAML makes of an unquoted off
            return "off"
        if value in COPIES:
            return value
        if not isinstance(value, (str, Path)) or Path(value).suffix.lower() not in (".csv", ".parquet"):
            raise ValueError(f"not one of {', '.join(COPIES)}, nor a table of decisions (.csv or .parquet)")
        return user_path(value).absolute()

    @field_validator("corrections", mode="before")
    @classmethod
    def _table(cls, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, (str, Path)) or Path(value).suffix.lower() not in (".csv", ".parquet"):
            raise ValueError("not a table of corrections (.csv or .parquet)")
        return user_path(value).absolute()
