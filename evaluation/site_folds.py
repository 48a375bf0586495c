"""Folds by site: train on all sites but one, test on that one, each site in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ImagesError
from .folds import Fold, check
from .metric import Integers
from .task import Task

FEWEST_IMAGES = 10
"""A site with fewer is refused: nothing could be said of it."""
_SHOWN = 5


def check_sites(labels: Sequence[str], sites: Sequence[str], column: str) -> None:
    """Refuse sites that cannot be left out in turn.

    Parameters
    ----------
    labels, sites : sequence of str
        Of each image; '' where the site is not known.
    column : str
        What holds the sites.

    Raises
    ------
    ImagesError
        Images without a site, one site alone, a site with hardly an image, or fewer than two classes that several sites
        have.
    """
    names, counts = np.unique(np.asarray(sites, dtype=str), return_counts=True)
    sizes = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if unknown := sizes.pop("", 0):
        raise ImagesError(
            f"{unknown:,} of {len(sites):,} images have no {column}.",
            expected=f"a {column} for every image, so that each can be left out in turn",
            received=_listed(sizes),
            fix=f"name the {column} of these images, or leave them out (exclude_files).",
        )
    if len(sizes) < 2:
        raise ImagesError(
            f"No {column} can be left out.",
            expected=f"at least two values of {column}",
            received=_listed(sizes),
            fix="run without `leave_out`, or name what differs between the images.",
        )
    if few := {name: size for name, size in sizes.items() if size < FEWEST_IMAGES}:
        raise ImagesError(
            f"{_listed(few)}: too few images to say whether anything holds there.",
            expected=f"at least {FEWEST_IMAGES} images for each {column}",
            received=_listed(sizes),
            fix=f"merge it with a similar {column}, or leave its images out (exclude_files).",
        )
    having = {
        name: sorted({site for site, own in zip(sites, labels, strict=True) if own == name}) for name in set(labels)
    }
    if sum(len(own) > 1 for own in having.values()) < 2:
        listed = "; ".join(f"{label}: {', '.join(own[:_SHOWN])}" for label, own in sorted(having.items()))
        raise ImagesError(
            f"Without one {column} the others do not have the classes to train on.",
            expected=f"at least two classes, each with images of two values of {column} or more",
            received=listed,
            fix=f"add images of the same classes from several values of {column}, or run without `leave_out`.",
        )


def _listed(sizes: dict[str, int]) -> str:
    named = sorted(sizes.items(), key=lambda item: (item[1], item[0]))
    shown = ", ".join(f"{name} {size:,}" for name, size in named[:_SHOWN])
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return f"{shown}{more} image{'' if list(sizes.values()) == [1] else 's'}" if sizes else "no value"


@dataclass(frozen=True)
class SiteFolds:
    """A fold a site, which tests it.

    Attributes
    ----------
    names : tuple of str
        Of the sites, sorted.
    codes : ndarray of int64, shape (n,)
        Site of each image: position in `names`, and number of the fold that tests it.
    folds : tuple of Fold
        Images that share a group with an image of the site take no part in training.
    apart : tuple of int
        How many these are, for each site.
    task : Task
        Without given folds, and without images that are only tuned on: these may be of the site.
    """

    names: tuple[str, ...]
    codes: Integers
    folds: tuple[Fold, ...]
    apart: tuple[int, ...]
    task: Task

    @classmethod
    def of(cls, task: Task, sites: Sequence[str]) -> SiteFolds:
        """Leave out each site in turn.

        Raises
        ------
        ImagesError
            Without a site, and what shares a group with it, one class is left to train on.
        """
        names, codes = np.unique(np.asarray(sites, dtype=str), return_inverse=True)
        task = replace(task, given=(), validation=None)
        folds, apart = [], []
        for number, name in enumerate(names.tolist()):
            own = codes == number
            shared = np.isin(task.groups, task.groups[own]) & ~own
            fold = Fold(0, number, np.flatnonzero(~own & ~shared), np.flatnonzero(own))
            _check_classes(task, fold, name)
            check(task, fold)
            folds.append(fold)
            apart.append(int(shared.sum()))
        return cls(tuple(names.tolist()), codes.astype(np.int64), tuple(folds), tuple(apart), task)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Images whose class is among those that their fold trains on, shape (n,)."""
        learnt = np.zeros(len(self.task), dtype=bool)
        for fold in self.folds:
            learnt[fold.test] = np.isin(self.task.labels[fold.test], self.task.labels[fold.train])
        return learnt

    @cached_property
    def compared(self) -> Integers:
        """Rows of these images."""
        return np.flatnonzero(self.known)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Classes of which there are such images."""
        return np.bincount(self.task.labels[self.compared], minlength=len(self.task.classes)) > 0

    def lacking(self, number: int) -> list[str]:
        """Classes of which a site has no image that can be scored."""
        rows = self.folds[number].test
        present = set(self.task.labels[rows[self.known[rows]]].tolist())
        return [name for code, name in enumerate(self.task.classes) if code not in present]


def _check_classes(task: Task, fold: Fold, site: str) -> None:
    present = np.unique(task.labels[fold.train])
    if len(present) < 2:
        held = ", ".join(task.classes[code] for code in present) or "none"
        raise ImagesError(
            f"Without {site}, and the patients and copies that it shares with others, one class is left to train on.",
            expected="two classes outside every site, of other patients than those inside",
            received=held,
            fix="merge sites that share patients, or run without `leave_out`.",
        )
