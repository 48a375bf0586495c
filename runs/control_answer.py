"""What ``answer.json`` holds of a control."""

from __future__ import annotations

from dataclasses import dataclass

from .stored import Stored


@dataclass(frozen=True)
class Control(Stored):
    """What a control reaches, and the lead of the best combination over it. A number that is not defined is None.

    Attributes
    ----------
    name : str
        Such as ``"RANDOM efficientnet_lite0"``: a network with random weights, which was never trained.
    value, low, high : float
        Of the ranking metric, with its 95 % interval.
    lead, lead_low, lead_high : float
        Of the best combination over it, on the same images, with a 95 % interval that counts that it was picked.
    share, share_low, share_high : float
        Of the way from guessing to the best combination that the control covers.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    lead: float
    lead_low: float | None
    lead_high: float | None
    share: float
    share_low: float | None
    share_high: float | None

    @property
    def beaten(self) -> bool:
        """Whether the best combination is better beyond the interval of the lead, which counts that it was picked."""
        return self.lead_low is not None and self.lead_low > 0
