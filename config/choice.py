"""Choices of an experiment: a name with parameters, some of which may be tuned."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..storage import digest

LONGEST_NAME = 200
"""Letters of a name that can be chosen."""
_LONGEST_MAPPING = 60


class Strict(BaseModel):
    """Base model: unknown keys are refused, and objects cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Search(Strict):
    """Values of a parameter to be tried: a list, or ``{low: 0.1, high: 100, log: true}``."""

    values: list[Any] = Field(default_factory=list)
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    log: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"values": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _possible(self) -> Search:
        listed, ranged = bool(self.values), self.low is not None and self.high is not None and self.low < self.high
        one = listed != ranged and (ranged or (self.low, self.high, self.log) == (None, None, False))
        if not one or (self.log and (self.low or 0) <= 0):
            raise ValueError("give a list of values, or low below high (both above 0 with log: true)")
        return self

    def points(self, count: int, whole: bool = False) -> list[Any]:
        """The values, or `count` numbers from low to high; fewer where they have to be `whole`."""
        if self.low is None or self.high is None:
            return self.values
        steps = [step / (count - 1) for step in range(count)]
        if self.log:
            points = [self.low * (self.high / self.low) ** step for step in steps]
        else:
            points = [self.low + (self.high - self.low) * step for step in steps]
        inside = range(math.ceil(self.low), math.floor(self.high) + 1)
        return sorted({round(point) for point in points} & set(inside)) if whole else points


class Choice(Strict):
    """One extractor, selector or classifier: a name, ``{name: {parameter: value}}``, or ``{name: FILE}``.

    The last one is short for a parameter ``file``; others may stand beside it: ``{table: FILE, key: path}``.
    """

    name: str = Field(max_length=LONGEST_NAME)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and value and "name" not in value:
            name, parameters = next(iter(value.items()))
            others = {key: other for key, other in value.items() if key != name}
            if isinstance(parameters, str):
                return {"name": name, "parameters": {"file": parameters, **others}}
            if not others:
                return {"name": name, "parameters": {} if parameters is None else parameters}
        return value

    @model_validator(mode="after")
    def _searches_are_possible(self) -> Choice:
        for key, value in self.parameters.items():
            try:
                Search.model_validate(value["search"]) if _is_search(value) else None
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                reason = problem["msg"].removeprefix("Value error, ")
                if problem["type"] == "extra_forbidden":
                    reason = f"unknown key; allowed here: {', '.join(Search.model_fields)}"
                where = ".".join(str(part) for part in (key, "search", *problem["loc"]))
                raise ValueError(f"{where}: {reason}") from None
        return self

    @property
    def fixed(self) -> dict[str, Any]:
        """Parameters with a fixed value, without those that are tuned."""
        return {key: value for key, value in self.parameters.items() if not _is_search(value)}

    @property
    def searched(self) -> dict[str, Search]:
        """Parameters that are tuned, each with its ``{search: ...}``."""
        return {
            key: Search.model_validate(value["search"]) for key, value in self.parameters.items() if _is_search(value)
        }

    @property
    def label(self) -> str:
        """Name in tables, such as ``svm_rbf``, ``svm_rbf(C=1)`` or ``svm_rbf(C=tuned)``; of a file, its name alone."""
        values = {
            key: "tuned" if key in self.searched else _short(key, value) for key, value in self.parameters.items()
        }
        text = ", ".join(f"{key}={value}" for key, value in values.items())
        return f"{self.name}({text})" if text else self.name

    def short_form(self) -> Any:
        """The choice as it is written in an experiment file."""
        return {self.name: dict(self.parameters)} if self.parameters else self.name


def _short(key: str, value: Any) -> Any:
    """What tables show of a parameter: of a file its name, of a long mapping eight letters that stand for it."""
    if isinstance(value, str) and (key == "file" or value.endswith(".safetensors")):
        return PurePath(value).name
    return digest(value)[:8] if isinstance(value, dict) and len(str(value)) > _LONGEST_MAPPING else value


def _is_search(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"search"}
