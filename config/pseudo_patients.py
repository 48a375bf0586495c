"""The section ``images.pseudo_patients`` of an experiment file."""

from __future__ import annotations

from pydantic import Field, model_validator

from .choice import Strict


class PseudoPatients(Strict):
    """Stress test where patients are unknown: groups guessed from file numbers or colour. Exactly one is set.

    Attributes
    ----------
    blocks : int
        Number of consecutive file numbers of a class that form one group.
    stain : int
        Number of colour clusters in each class; each cluster is one group.
    """

    blocks: int | None = Field(default=None, ge=2, examples=[10])
    stain: int | None = Field(default=None, ge=2, examples=[8])

    @model_validator(mode="after")
    def _one(self) -> PseudoPatients:
        if (self.blocks is None) == (self.stain is None):
            raise ValueError("set either blocks: N or stain: N")
        return self
