"""Predictions of a bundle for images, and for the patients that they belong to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..runs.notebook import block

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """The prediction of one image.

    Attributes
    ----------
    image : str
        Path or name.
    image_id : str
        SHA-256 of the bytes; empty where there are none.
    label : str or None
        None where the image cannot be used.
    probabilities : dict of str to float
        Calibrated, of every class.
    conformal_set : tuple of str
        Classes that hold the right one at the chosen level; never empty.
    ood_score : float
        Distance to the training images; 1 is that of a typical one among them. NaN where it cannot be computed: the
        image then counts as unlike the training data.
    ood_p : float
        Share of the training images that are at least as far from those of other patients.
    ood : bool
        Unlike the training data.
    trained_on : bool
        These bytes were among the training images.
    error : str
        Why the image cannot be used; else empty.
    group : str
        The patient, where that is set.
    """

    image: str
    image_id: str = ""
    label: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    conformal_set: tuple[str, ...] = ()
    ood_score: float = math.nan
    ood_p: float = math.nan
    ood: bool = False
    trained_on: bool = False
    error: str = ""
    group: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-like; None for what is not defined."""
        values = asdict(self) | {"conformal_set": list(self.conformal_set)}
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()}


@dataclass(frozen=True)
class GroupPrediction:
    """The prediction of one patient: the mean of the probabilities of the patient's images.

    Attributes
    ----------
    group : str
    label : str or None
        None where no image of the patient can be used.
    probabilities : dict of str to float
    images, unreadable, ood : int
        Images that were used, that could not be used, and that are unlike the training data, though used.
    votes : dict of str to int
        Images by their own label.
    """

    group: str
    label: str | None
    probabilities: dict[str, float]
    images: int
    unreadable: int
    ood: int
    votes: dict[str, int]

    @classmethod
    def of(cls, group: str, members: Sequence[Prediction]) -> GroupPrediction:
        """From the predictions of the patient's images."""
        used = [one for one in members if one.label is not None]
        names = list(used[0].probabilities) if used else []
        mean = {name: float(np.mean([one.probabilities[name] for one in used])) for name in names}
        votes = Counter(str(one.label) for one in used)
        label = max(mean, key=lambda name: mean[name]) if mean else None
        unlike, unreadable = sum(one.ood for one in used), len(members) - len(used)
        return cls(group, label, mean, len(used), unreadable, unlike, {n: votes[n] for n in names if votes[n]})


class Predictions(Sequence[Prediction]):
    """Predictions in the order of the images.

    Parameters
    ----------
    rows : sequence of Prediction
    classes : sequence of str
    level : float
        Of the prediction sets.
    facts : mapping
        Of the bundle: name, digest and the like, for `to_json`.
    """

    def __init__(
        self, rows: Sequence[Prediction], classes: Sequence[str], level: float, facts: Mapping[str, Any]
    ) -> None:
        self._rows, self.classes, self.level, self._facts = list(rows), tuple(classes), level, dict(facts)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...
    @overload
    def __getitem__(self, place: slice) -> list[Prediction]: ...
    def __getitem__(self, place: int | slice) -> Prediction | list[Prediction]:
        return self._rows[place]

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self._rows)

    def __repr__(self) -> str:
        from .output import lines

        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        """The first images with their probabilities, for a notebook."""
        from .output import summary

        columns = ["image", "label", *(f"p_{name}" for name in self.classes), "set", "ood", "error"]
        first = Predictions(self._rows[:_SHOWN], self.classes, self.level, self._facts).table()[columns]
        return block("Predictions", summary(self), first.to_html(index=False, na_rep="", escape=True))

    def patients(self) -> list[GroupPrediction]:
        """One prediction a group, for images that have one, in the order of the groups' first images."""
        members: dict[str, list[Prediction]] = {}
        for row in self._rows:
            if row.group:
                members.setdefault(row.group, []).append(row)
        return [GroupPrediction.of(group, rows) for group, rows in members.items()]

    def table(self) -> pd.DataFrame:
        """One row an image: what `Prediction` has, with ``p_<class>`` for each class and ``set`` joined by ``|``."""
        import pandas as pd

        rows = [
            {
                "image": row.image,
                "image_id": row.image_id,
                "group": row.group,
                "label": row.label,
                **{f"p_{name}": row.probabilities.get(name, math.nan) for name in self.classes},
                "set": "|".join(row.conformal_set),
                "ood_score": row.ood_score,
                "ood_p": row.ood_p,
                "ood": row.ood,
                "trained_on": row.trained_on,
                "error": row.error,
            }
            for row in self._rows
        ]
        columns = ["image", "image_id", "group", "label", *(f"p_{name}" for name in self.classes)]
        columns += ["set", "ood_score", "ood_p", "ood", "trained_on", "error"]
        return pd.DataFrame(rows, columns=columns)

    def patient_table(self) -> pd.DataFrame:
        """One row a patient: what `GroupPrediction` has, with ``p_<class>`` and ``votes_<class>`` for each class."""
        import pandas as pd

        rows = []
        for one in self.patients():
            own: dict[str, Any] = {
                "group": one.group,
                "label": one.label,
                "images": one.images,
                "unreadable": one.unreadable,
            }
            own |= {"ood": one.ood} | {f"p_{name}": one.probabilities.get(name, math.nan) for name in self.classes}
            rows.append(own | {f"votes_{name}": one.votes.get(name, 0) for name in self.classes})
        return pd.DataFrame(rows)

    def to_json(self) -> dict[str, Any]:
        """JSON-like: ``bundle``, ``level``, ``classes``, ``images`` and, where there are groups, ``patients``."""
        content = {"bundle": self._facts, "level": self.level, "classes": list(self.classes)}
        groups = [asdict(one) for one in self.patients()]
        return content | {"images": [row.to_json() for row in self._rows]} | ({"patients": groups} if groups else {})

    def with_groups(self, groups: Sequence[str]) -> Predictions:
        """The same with a group for each image."""
        rows = [replace(row, group=group) for row, group in zip(self._rows, groups, strict=True)]
        return Predictions(rows, self.classes, self.level, self._facts)
