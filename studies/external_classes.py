"""Which class of a model the classes of other images are: by equal names, and as the user maps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError
from ..evaluation.metric import Floats, Integers
from ..images.class_names import twins

_HOW = "--map 'blast=ALL,normal=hem' (a class of the images = a class of the model, or several joined by +)"


@dataclass(frozen=True)
class ClassMap:
    """Classes that are scored: those of the model, where a class of the images is several of them these as one.

    Attributes
    ----------
    classes : tuple of str
    members : tuple of tuple of int
        Of each, positions among the classes of the model.
    labels : dict of str to str
        Class of the images -> class that is scored.
    unmapped : tuple of str
        Classes of the images that are left out.
    """

    classes: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    labels: dict[str, str]
    unmapped: tuple[str, ...]

    def probabilities(self, of_model: Floats) -> Floats:
        """Of the classes that are scored, shape (n, K), from those of the model's classes: their sums."""
        return np.column_stack([of_model[:, list(own)].sum(axis=1) for own in self.members])

    def sets(self, of_model: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Prediction sets, shape (n, K): a class is in one where any that it is made of is."""
        return np.column_stack([of_model[:, list(own)].any(axis=1) for own in self.members])

    def codes(self, of_model: Integers) -> Integers:
        """Positions of classes that are scored, from positions of the model's classes."""
        place = {one: position for position, own in enumerate(self.members) for one in own}
        return np.array([place[one] for one in range(len(place))], dtype=np.int64)[of_model]


def map_classes(of_images: Sequence[str], of_model: Sequence[str], text: str | None = None) -> ClassMap:
    """Map the classes of images to those of a model.

    Parameters
    ----------
    of_images, of_model : sequence of str
    text : str, optional
        Such as ``"blast=ALL,normal=hem"``: a class of the images and the class of the model that it is. Several of the
        model, joined by ``+``, are scored as one. Classes that it does not name are mapped where their names are equal.

    Raises
    ------
    ConfigurationError
        It names nothing, or no class of the images is one of the model.
    """
    chosen = _chosen(text or "", of_images, of_model)
    joined = {own for own in chosen.values() if len(own) > 1}
    _check_joined(joined, chosen, of_model)
    group_of = {one: own for own in joined for one in own} | {
        one: (one,) for one in range(len(of_model)) if not any(one in own for own in joined)
    }
    members = tuple(dict.fromkeys(group_of[one] for one in range(len(of_model))))
    names = {own: "+".join(of_model[one] for one in own) for own in members}
    labels = {label: names[own] for label, own in chosen.items()}
    for label in of_images:
        same = [one for one, name in enumerate(of_model) if label == name or twins({label, name})]
        if label not in labels and len(same) == 1:
            labels[label] = names[group_of[same[0]]]
    if not labels:
        raise ConfigurationError(
            "No class of the images is a class of the model.",
            expected=", ".join(of_model),
            received=", ".join(of_images),
            fix=f"say which is which: {_HOW}.",
        )
    unmapped = tuple(label for label in of_images if label not in labels)
    return ClassMap(tuple(names[own] for own in members), members, labels, unmapped)


def _chosen(text: str, of_images: Sequence[str], of_model: Sequence[str]) -> dict[str, tuple[int, ...]]:
    chosen: dict[str, tuple[int, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        label, sign, named = (piece.strip() for piece in part.partition("="))
        if not sign or not label or not named or label in chosen:
            twice = label in chosen
            raise ConfigurationError(
                f"--map names the class {label} twice." if twice else "--map cannot be read.",
                expected=_HOW,
                received=text if twice else part,
                fix="name each class of the images once.",
            )
        if label not in of_images:
            raise _nothing("images", label, of_images)
        names = [named] if named in of_model else [name.strip() for name in named.split("+")]
        for name in names:
            if name not in of_model:
                raise _nothing("model", name, of_model)
        chosen[label] = tuple(sorted({list(of_model).index(name) for name in names}))
    return chosen


def _nothing(whose: str, name: str, classes: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"--map names a class that the {whose} {'do' if whose == 'images' else 'does'} not have.",
        expected=", ".join(classes),
        received=name,
        fix=f"write {_HOW}.",
    )


def _check_joined(joined: set[tuple[int, ...]], chosen: dict[str, tuple[int, ...]], of_model: Sequence[str]) -> None:
    """A class of the model is a part of one class that is scored."""
    for own in joined:
        for label, other in chosen.items():
            if own != other and set(own) & set(other):
                both = " and ".join("+".join(of_model[one] for one in one_of) for one_of in (own, other))
                raise ConfigurationError(
                    f"--map takes the class {label} for a part of another one.",
                    expected="each class of the model alone, or always joined with the same others",
                    received=both,
                    fix="join the same classes for all of them, or leave one out with --exclude-class.",
                )
    if len(of_model) - sum(len(own) - 1 for own in joined) < 2:
        raise ConfigurationError(
            "--map joins all classes of the model.", expected="at least two that differ", received="+".join(of_model)
        )
