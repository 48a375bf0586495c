"""What computes a run: this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from .choice import Strict

_ADDRESS = re.compile(r"local:[1-9]\d{0,3}|[a-z]+://[^\s/]+")


class Execution(Strict):
    """What computes a run; it decides no number.

    Attributes
    ----------
    dask : str
        Address of a scheduler, such as ``tcp://host:8786``; or ``local:4``, which starts 4 workers on this machine.
    """

    dask: str | None = Field(default=None, examples=["tcp://host:8786"])

    @field_validator("dask", mode="before")
    @classmethod
    def _address(cls, value: Any) -> Any:
        if value is not None and not (isinstance(value, str) and _ADDRESS.fullmatch(value)):
            raise ValueError("not the address of a Dask scheduler, such as tcp://host:8786, nor local:4")
        return value
